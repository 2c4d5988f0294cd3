import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t from 'tap';
import { systemClock } from '../../packager/clock.ts';
import { clip } from '../../test/support/clips.ts';
import { sendSrt } from '../../test/support/srt-frames.ts';
import { RecordingDesk } from '../rtmp/test-desk.ts';
import { createSrtServer } from './server.ts';
import { stage } from './test-stage.ts';

const { file } = await clip({ bframes: 2, width: 320, height: 180, kbps: 300 });

t.test('a port that is taken is an error, with its code', async (t) => {
  const other = createSocket('udp4').bind(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const server = createSrtServer({ desk: new RecordingDesk(), clock: systemClock, log: () => undefined });
  await t.rejects(server.listen({ host: '127.0.0.1', port: other.address().port }), { code: 'EADDRINUSE' });
  await server.close();
});

t.test('what can be seen of a publisher; closing sends it away, and lets nobody in any more', async (t) => {
  const { desk, port, server, logged } = await stage(t);
  const coming = desk.nextSink();
  const sender = sendSrt(file, `srt://127.0.0.1:${port}?streamid=good-key`);
  t.teardown(() => sender.kill('SIGKILL'));
  const sink = await coming;
  await new Promise<void>((resolve) => {
    sink.onUnit = () => sink.count > 20 && (server.facts()[0]?.statistics?.packets ?? 0) > 0 && resolve();
  });
  t.match(server.facts(), [{ protocol: 'srt', address: '127.0.0.1', software: /^libsrt \d/, state: 'publishing', encrypted: false }]);
  t.ok(server.counters.packets > 0 && server.counters.bytes > 0);
  t.match(server.counters, { accepted: 1, rejected: 0, dropped: 0 });
  server.stopAccepting();
  const refused = logged('srt.rejected');
  t.not((await sendSrt(file, `srt://127.0.0.1:${port}?streamid=good-key`).done).code, 0);
  t.match(await refused, { why: /shutting down/ });
  t.equal(server.sessions, 1);
  await server.close();
  t.equal(await sink.ended, 'evicted');
  t.not((await sender.done).code, 0, 'it hears of it, and does not send into nothing');
});
