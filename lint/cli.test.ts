/** The checker as people start it: what it prints, and how it ends. */
import t, { type Test } from 'tap';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const playlist = `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n`;

/** A live playlist without a segment: there is nothing wrong with it, and it never ends. */
const serve = async (t: Test, text = playlist): Promise<string> => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl', 'access-control-allow-origin': '*', 'cache-control': 'no-cache' }).end(text);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.m3u8`;
};

const run = (args: readonly string[], onOutput: (text: string, stop: () => void) => void = () => undefined) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'cli.ts'), ...args]);
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => onOutput((out += chunk.toString()), () => child.kill('SIGINT')));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', (code) => resolve({ code, out, err }));
  });

t.test('a stream without a fault ends with a sum and 0', async (t) => {
  const { code, out } = await run([await serve(t), '--seconds', '1']);
  t.match(out, /^0 errors, 0 warnings in \d+ answers? of /);
  t.equal(code, 0);
});

t.test('a finding is told in words, with its section, and the exit code is 1', async (t) => {
  const { code, out } = await run([await serve(t, playlist.replace('#EXT-X-TARGETDURATION:2\n', '')), '--seconds', '1']);
  t.match(out, /^error .* hls\/target-duration .*index\.m3u8\n.*no TARGETDURATION\n.*HLS 4\.4\.3\.1/);
  t.match(out, /\n1 error, 0 warnings/);
  t.equal(code, 1);
});

t.test('--json is one document', async (t) => {
  const { code, out } = await run([await serve(t, playlist.replace('#EXTM3U\n', '')), '--seconds', '1', '--json']);
  t.match(JSON.parse(out), { errors: 1, warnings: 0, byRule: { 'hls/syntax': 1 }, findings: [{ rule: 'hls/syntax' }] });
  t.equal(code, 1);
});

t.test('Ctrl-C ends the run with what was found so far', async (t) => {
  // A second one would end it at once.
  let pressed = false;
  const { code, out } = await run([await serve(t, playlist.replace('#EXT-X-TARGETDURATION:2\n', '')), '--seconds', '600'], (text, stop) => {
    if (!text.includes('4.4.3.1') || pressed) return;
    pressed = true;
    stop();
  });
  t.match(out, /\n1 error, 0 warnings in/);
  t.equal(code, 1);
});

t.test('whoever asks for nothing, or for what is not there, is told how', async (t) => {
  for (const args of [[], ['no-address'], ['ftp://host/master.m3u8'], ['http://host/a.m3u8', '--seconds', 'x'], ['http://host/a.m3u8', '--loud']]) {
    const { code, err } = await run(args);
    t.match(err, /^usage: /);
    t.equal(code, 2, args.join(' '));
  }
});
