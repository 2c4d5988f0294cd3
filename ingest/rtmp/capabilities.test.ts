import t from 'tap';
import type { AmfObject, AmfValue } from './amf0.ts';
import { capabilities } from './capabilities.ts';
import { RtmpTestClient } from './test-client.ts';
import { stage } from './test-stage.ts';
import { audio, picture, sound, video } from './test-units.ts';

const fourCcList = ['avc1', 'hvc1', 'av01', 'vp09', 'mp4a', 'Opus'];
const infoMaps = {
  videoFourCcInfoMap: { avc1: 4, hvc1: 4, av01: 4, vp09: 4 },
  audioFourCcInfoMap: { mp4a: 4, Opus: 4 },
};

t.test('what is announced is what is carried, and only to whoever asks', async (t) => {
  const cases: [AmfObject, AmfObject][] = [
    [{ app: 'live' }, {}],
    [{ fourCcList: ['hvc1', 'av01'] }, { fourCcList }],
    [{ fourCcList: '*' }, { fourCcList }],
    [{ videoFourCcInfoMap: { '*': 2 }, capsEx: 15 }, { fourCcList, ...infoMaps, capsEx: 1 }],
    [{ audioFourCcInfoMap: { Opus: 2 } }, { fourCcList, ...infoMaps, capsEx: 0 }],
    [{ capsEx: 14 }, { fourCcList, ...infoMaps, capsEx: 0 }],
  ];
  for (const [about, answer] of cases) t.strictSame(capabilities(about), answer, JSON.stringify(about));
  const odd: AmfValue[] = ['1', null, Number.NaN, -1, 1.5, Infinity, 2 ** 40, { 1: 1 }];
  for (const capsEx of odd) t.equal(capabilities({ capsEx })['capsEx'], 0, `capsEx: ${String(capsEx)}`);
});

t.test('the answer to connect says it', async (t) => {
  const { port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good', about: { capsEx: 1, videoFourCcInfoMap: { hvc1: 2 } } });
  t.match(client.about, { fmsVer: /FMS/, fourCcList, ...infoMaps, capsEx: 1 });
  client.destroy();
  const old = await RtmpTestClient.connect({ port, key: 'good' });
  t.notOk(Object.hasOwn(old.about, 'fourCcList'));
  old.destroy();
});

t.test('at a stop, whoever can come back is asked to, and goes when it suits him', async (t) => {
  const { desk, port, server, logged } = await stage(t, { limits: { lingerMs: 60_000 } });
  const client = await RtmpTestClient.connect({ port, key: 'good', about: { capsEx: 1 } });
  client.track(video);
  client.track(audio);
  const taken = new Promise<void>((resolve) => {
    const [sink] = desk.sinks;
    if (sink) sink.onUnit = () => resolve();
  });
  await client.send(picture(0));
  await taken;
  const line = logged('rtmp.closed');
  const closing = server.close();
  const request = await client.status('NetConnection.Connect.ReconnectRequest');
  t.match(request, { level: 'status', description: /shutting down/ });
  t.match(await line, { end: 'evicted', reason: 'shutting-down' });
  t.strictSame(desk.sinks[0]?.ends, ['evicted']);
  // What is still under way is read, so that no reset cuts off the sender, and is for nobody.
  for (let at = 33; at < 3_000; at += 33) await client.send(sound(at));
  t.equal(client.socket.readableEnded, false, 'our side stays open');
  client.socket.end();
  await closing;
  t.equal(desk.sinks[0]?.count, 1);
});

t.test('whoever was asked to come back and does not go is cut off', async (t) => {
  const { port, server } = await stage(t, { limits: { lingerMs: 50 } });
  const client = await RtmpTestClient.connect({ port, key: 'good', about: { capsEx: 1 } });
  await server.close();
  await client.closed;
  t.match(client.statuses.at(-1), { code: 'NetConnection.Connect.ReconnectRequest' });
});

t.test('whoever does not know of it is told that the server stops', async (t) => {
  const { port, server } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  await Promise.all([server.close(), client.closed]);
  t.match(client.statuses.at(-1), { level: 'error', code: 'NetConnection.Connect.Closed' });
});

t.test('other reasons to go are no request to come back', async (t) => {
  const { desk, port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good', about: { capsEx: 1 } });
  desk.requests.at(-1)?.evict('taken-over');
  await client.closed;
  t.match(client.statuses.at(-1), { code: 'NetStream.Publish.BadName' });
});
