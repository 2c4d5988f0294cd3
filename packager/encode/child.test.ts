/** Where a process may open no more files, a program that cannot be started is a value as well, and ends nobody else. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';

/** All files that it may open are open; what it says is how the three came to their ends. */
const crowded = `
const { openSync, closeSync } = await import('node:fs');
const load = (name) => import(new URL(name, ${JSON.stringify(import.meta.url)}));
const [{ LiveEncoder }, { SoundEncoder }, { runChild }, { systemClock }] = await Promise.all(['./live-encoder.ts', './sound-encoder.ts', './child.ts', '../clock.ts'].map(load));
const { opusConfig } = await load('../../test/support/opus-packets.ts');
const command = { file: '/bin/cat', args: [], cwd: '/', env: {} };
const common = { sandbox: { piped: () => command }, place: { folder: '/', work: '/', root: '/' }, clock: systemClock };
const opened = [];
try {
  for (;;) opened.push(openSync('/dev/null'));
} catch {}
const source = { codec: 'h264', config: Buffer.alloc(8), width: 320, height: 180, sar: null, colour: null, reorder: 0 };
const rung = { width: 320, height: 180, preset: 'ultrafast', bitRate: 1, maxRate: 1, buffer: 1, level: 31, frameRate: { numerator: 30, denominator: 1 }, cap: null, after: null };
const pictures = new LiveEncoder({ ...common, source, rungs: [rung], configured: () => {}, picture: () => {} });
pictures.feed({ pts: 0, key: true, data: Buffer.alloc(9) });
const sound = new SoundEncoder({ ...common, config: opusConfig().config, channels: 2, bitRate: 1, packetsFrom: 0, from: 0, preSkip: 0, frame: () => {} });
sound.feed(0, Buffer.from('fcfffe', 'hex'));
const ran = runChild(command, { clock: systemClock, wallMs: 5_000 }).then(() => 'ran', String);
const ends = await Promise.all([pictures.ended, sound.ended, ran]);
for (const file of opened) closeSync(file);
console.log(JSON.stringify(ends));
`;

t.test('where no more files can be opened, an encoder has crashed, and a run rejects', { skip: process.platform === 'win32' }, async (t) => {
  const run = promisify(execFile);
  const { stdout } = await run('/bin/sh', ['-c', 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, crowded]);
  const ends: unknown = JSON.parse(stdout);
  t.match(ends, [{ how: 'crashed', words: /EMFILE/ }, { how: 'crashed', words: /EMFILE/ }, /EMFILE/]);
});
