/** A thousand senders of nonsense against a whole server, while one good show goes on beside them. */
import { connect } from 'node:net';
import t from 'tap';
import { sessionBytes } from '../ingest/rtmp/test-messages.ts';
import { healthyShow } from './support/healthy-show.ts';
import { Random } from './support/random.ts';
import { startServer, type MillraceServer } from './support/server.ts';
import { flvClip } from './support/show-sender.ts';

const connections = 1_000;
const atOnce = 25;

/** Sends the bytes and waits until the server has had enough; one that neither answers nor hangs up is left after a second. */
const throwAt = (server: MillraceServer, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(server.ports.rtmp, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });

t.test(`${connections} malformed connections cost a good stream nothing`, async (t) => {
  const server = await startServer();
  t.teardown(() => server.stop());
  const token = await server.login();
  const { unharmed } = await healthyShow(t, server, token);
  const victim = await server.createChannel(token, { name: 'victim' });

  const units = await flvClip({ bframes: 2, width: 320, height: 180, kbps: 300 });
  const { avcConfig, aacConfig } = units;
  if (!avcConfig || !aacConfig) throw new Error('a clip without configurations');
  const tracks = [{ kind: 'video', codec: 'h264', config: avcConfig }, { kind: 'audio', codec: 'aac', config: aacConfig }] as const;
  // Half of them know a real key: what they break is then media, not only the protocol.
  const sessions = ['no-such-key', victim.streamKey].map((key) => sessionBytes({ app: 'live', key }, tracks, units.units.slice(0, 60)));
  const random = new Random(20_260);
  let left = connections;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const model = sessions[left % sessions.length] ?? Buffer.alloc(0);
      await throwAt(server, left % 10 === 0 ? random.bytes(random.below(8_192)) : random.mutate(model));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));

  await unharmed();
});
