/** What ffmpeg writes as FLV arrives as it would over its own RTMP. Peer: ffmpeg. */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import t from 'tap';
import { publishFlv } from './flv-publisher.ts';
import { ffmpeg, stage, testPattern } from './test-stage.ts';
import { fingerprint } from './test-messages.ts';

const pattern = [...testPattern(2), '-bitexact', '-f', 'flv'];

t.test('the same pictures and sound as over the RTMP of ffmpeg', async (t) => {
  const { desk, port } = await stage(t);
  await ffmpeg(...pattern, `rtmp://127.0.0.1:${port}/live/good-ffmpeg`).done;
  const child = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', ['-nostdin', '-loglevel', 'error', ...pattern, 'pipe:1'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await publishFlv(Readable.from(cutUp(child.stdout)), { port, app: 'live', key: 'good-pipe' });
  const [theirs, ours] = desk.sinks;
  await ours?.ended;
  t.same(desk.requests.map(({ key }) => key), ['good-ffmpeg', 'good-pipe']);
  t.ok((ours?.count ?? 0) > 120, 'sixty pictures and two seconds of sound');
  t.strictSame(ours?.units.map(fingerprint), theirs?.units.map(fingerprint));
  t.strictSame(ours?.tracks, theirs?.tracks);
});

t.test('a server that says no closes the connection, and the pipe behind it ends', async (t) => {
  const { port } = await stage(t);
  const child = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', ['-nostdin', '-loglevel', 'quiet', '-re', ...testPattern(60), '-f', 'flv', 'pipe:1'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => child.kill('SIGKILL'));
  await t.rejects(publishFlv(child.stdout, { port, app: 'live', key: 'bad' }));
});

/** A pipe gives bytes in pieces of any size. */
async function* cutUp(flv: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 1;
  for await (const bytes of flv) {
    for (let at = 0; at < bytes.length; at += size, size = (size * 7 + 3) % 5_000 || 1) yield bytes.subarray(at, at + size);
  }
}
