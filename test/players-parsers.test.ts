/** m3u8-parser, hls-parser and mpd-parser read what a whole server answers, and agree with each other and with what was meant. */
import t from 'tap';
import { parse } from 'mpd-parser';
import { readByM3u8Parser, readMedia, readMultivariant } from '../packager/hls/judges.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

const clip = await flvClip({ bframes: 2, width: 320, height: 180, kbps: 300 });
const server = await startServer();
t.teardown(() => server.stop());
const channel = await server.createChannel(await server.login(), { name: 'read' });

const videoOf = async (): Promise<string> => {
  const { live } = await until(
    () => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`),
    (seen) => seen.live !== null,
  );
  return live?.videoId ?? '';
};
const text = async (url: string): Promise<string> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`);
  return response.text();
};
const near = (found: number, wanted: number): boolean => Math.abs(found - wanted) < 0.1;
const sum = (durations: readonly number[]): number => durations.reduce((all, one) => all + one, 0);
const manifestOf = async (url: string) => {
  const complaints: string[] = [];
  const manifest = parse(await text(url), { manifestUri: url, eventHandler: ({ type, message }) => void (type === 'warn' && complaints.push(message)) });
  return { manifest, complaints };
};

const first = await ShowSender.connect(server, channel, clip);
await first.send();
const base = `${server.origin}/play/-/${await videoOf()}`;

t.test('while it is live', async (t) => {
  await until(() => text(`${base}/v0/index.m3u8`), (seen) => (seen.match(/#EXTINF/g) ?? []).length === 3);
  const master = readMultivariant(await text(`${base}/master.m3u8`));
  t.equal(master.variants.filter(({ isIFrameOnly }) => !isIFrameOnly).length, 1);
  t.same(master.variants[0]?.resolution, { width: 320, height: 180 });
  t.equal(master.variants[0]?.frameRate, 30);
  for (const track of ['v0', 'a0']) {
    const playlist = await text(`${base}/${track}/index.m3u8`);
    const { manifest, complaints } = readByM3u8Parser(playlist);
    const other = readMedia(playlist, { shortSegments: true });
    t.same(complaints, [], `${track}: no complaints`);
    t.notOk(manifest.endList ?? other.endlist);
    t.equal(manifest.mediaSequence, other.mediaSequenceBase);
    t.equal(manifest.partTargetDuration, other.partTargetDuration);
    t.equal(manifest.serverControl?.partHoldBack, other.lowLatencyCompatibility?.partHoldBack);
    t.ok(near(sum(manifest.segments.map(({ duration }) => duration)), 6) || manifest.segments.length === 3, `${track}: three segments`);
    t.ok(manifest.preloadSegment?.preloadHints?.some(({ type }) => type === 'PART'), `${track}: the part that comes next`);
  }
  const transport = await text(`${base}/ts/v0/index.m3u8`);
  t.equal(readByM3u8Parser(transport).manifest.segments.length, readMedia(transport, { shortSegments: true }).segments.length);
  const { manifest, complaints } = await manifestOf(`${base}/manifest.mpd`);
  t.same(complaints, []);
  t.equal(manifest.playlists.length, 1);
  t.notOk(manifest.playlists[0]?.endList);
});

t.test('when it has ended: eight seconds, and after an outage eight more', async (t) => {
  first.vanish();
  const second = await ShowSender.connect(server, channel, clip);
  await second.send({ shift: 1_000_000 });
  await second.end();
  const master = await until(() => text(`${base}/master.m3u8`), (seen) => seen.includes('whole.m3u8'));
  const read = readMultivariant(master);
  const { manifest: multivariant, complaints } = readByM3u8Parser(master);
  t.same(complaints, []);
  t.equal(multivariant.playlists?.[0]?.uri, read.variants[0]?.uri);
  t.equal(read.variants[0]?.codecs, 'avc1.64000D,mp4a.40.2');
  t.ok((read.variants[0]?.averageBandwidth ?? Infinity) <= (read.variants[0]?.bandwidth ?? 0));

  const durations: Record<string, number[]> = {};
  for (const file of ['v0/whole.m3u8', 'a0/whole.m3u8', 'v0/iframes.m3u8', 'ts/v0/whole.m3u8']) {
    const playlist = await text(`${base}/${file}`);
    const { manifest, complaints: said } = readByM3u8Parser(playlist);
    const other = readMedia(playlist, { shortSegments: true });
    t.same(said, [], `${file}: no complaints`);
    t.ok(manifest.endList && other.endlist, `${file}: ended`);
    t.same(other.segments.map(({ uri }) => uri), manifest.segments.map(({ uri }) => uri), `${file}: the same names`);
    t.equal(manifest.discontinuityStarts.length, 1, `${file}: one discontinuity`);
    t.equal(manifest.segments.find(({ discontinuity }) => discontinuity)?.uri, manifest.segments[4]?.uri, `${file}: in the middle`);
    const maps = new Set(manifest.segments.map(({ map }) => map?.uri));
    t.equal(maps.size, file.startsWith('ts/') ? 1 : 2, `${file}: an init segment for each epoch`);
    durations[file] = manifest.segments.map(({ duration }) => duration);
    t.ok(near(sum(durations[file]), 16), `${file}: ${sum(durations[file])} s`);
  }
  t.same(durations['ts/v0/whole.m3u8'], durations['v0/whole.m3u8']);

  const { manifest, complaints: said } = await manifestOf(`${base}/manifest.mpd`);
  t.same(said, []);
  t.ok(near(manifest.duration, 16), `${manifest.duration} s`);
  const [pictures] = manifest.playlists;
  const hls = readMedia(await text(`${base}/v0/whole.m3u8`), { shortSegments: true });
  t.same(
    pictures?.segments.map(({ resolvedUri }) => resolvedUri),
    hls.segments.map(({ uri }) => new URL(uri, `${base}/v0/`).href),
    'DASH names the segments that HLS names',
  );
  t.equal(pictures?.attributes.CODECS, 'avc1.64000D');
  t.ok(pictures?.endList);
});
