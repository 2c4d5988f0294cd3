import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { units } from '../../packager/live/pretend-sender.ts';
import { largestReport } from '../catalog/ingest-reports.ts';
import { channelOf, liveOn } from '../catalog/testing.ts';
import { HealthStage, lineReport } from '../health/test-publisher.ts';
import { readReport, writeReport } from '../health/report.ts';
import { testApi } from './testing.ts';

const sent = (): HealthStage => {
  const stage = new HealthStage().connect({ protocol: 'srt' }).send(units(12_000, { gop: 1_000 }));
  stage.sink.line?.(lineReport({ packets: 900, bytes: 1_184_400, lost: 12, recovered: 12 }));
  stage.health.look();
  return stage;
};

t.test('its owner and an admin read how a channel is sent to; to others it is not theirs, or not there', async (t) => {
  const { health } = sent();
  const server = await testApi(t, {}, { ingest: { now: (id) => (id === channelId ? health.view : null), of: async () => null } });
  const [ann, bob, admin] = await Promise.all([server.person('ann', 'creator'), server.person('bob', 'creator'), server.person('root', 'admin')]);
  const { channel } = await server.catalog.channels.create(channelOf(ann.id, { name: 'mill' }));
  const channelId = channel.id;
  for (const { token } of [ann, admin]) {
    const reply = await server.ask('/api/v1/channels/@mill/ingest', { token });
    t.match(reply, { status: 200, body: { session: { protocol: 'srt', software: 'OBS' }, video: { codec: 'h264', fps: 30 }, srt: { lost: 12, recovered: 12, latency: 1_200 } } });
    t.match(reply.body['findings'], [{ code: 'gopSizeOver', severity: 'error', params: { limit: 6 } }]);
    t.match(reply.body['broadcast'], { sessions: 1, history: { step: 5 } });
  }
  t.equal((await server.ask('/api/v1/channels/@mill/ingest', { token: bob.token })).status, 403);
  t.equal((await server.ask('/api/v1/channels/@mill/ingest')).status, 401);
  const { channel: quiet } = await server.catalog.channels.create(channelOf(ann.id, { name: 'quiet', visibility: 'private' }));
  t.match(await server.ask(`/api/v1/channels/${quiet.id}/ingest`, { token: ann.token }), { status: 200, body: { session: null, video: null, findings: [] } });
  t.equal((await server.ask(`/api/v1/channels/${quiet.id}/ingest`, { token: bob.token })).status, 404);
});

t.test('what was kept of a broadcast is its owner’s to read, and goes with the video', async (t) => {
  const server = await testApi(t, {}, { ingest: { now: () => null, of: async (id) => readReport((await server.catalog.ingestReports.get(id)) ?? '{}') } });
  const ann = await server.person('ann', 'creator');
  const bob = await server.person('bob', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(ann.id));
  const { id } = await server.catalog.videos.createLive(liveOn(channel.id, ann.id));
  t.match(await server.ask(`/api/v1/videos/${id}/ingest`, { token: ann.token }), { status: 200, body: { ingest: null } });
  const report = writeReport(sent().end('announced').health.report);
  t.ok(await server.catalog.ingestReports.put(id, '{}'));
  t.ok(await server.catalog.ingestReports.put(id, report), 'in the place of the one before');
  const reply = await server.ask(`/api/v1/videos/${id}/ingest`, { token: ann.token });
  t.match(reply.body['ingest'], { sessionCount: 1, sessions: [{ protocol: 'srt', end: 'announced', srt: { lost: 12 } }], findings: [{ code: 'gopSizeOver', times: 1 }], gop: null });
  t.equal((await server.ask(`/api/v1/videos/${id}/ingest`, { token: bob.token })).status, 403);
  t.equal((await server.ask(`/api/v1/videos/${id}/ingest`)).status, 401);
  t.equal(await server.catalog.ingestReports.put(id, 'x'.repeat(largestReport + 1)), false, 'more than there is room for');
  t.equal(await server.catalog.ingestReports.put('nosuchvideo', report), false);
  await server.catalog.videos.endLive(id, { endedAt: new FakeClock().wall(), durationMs: 1, bytes: 1, state: 'ready' });
  await server.catalog.videos.remove(id);
  t.equal(await server.catalog.ingestReports.get(id), null);
});
