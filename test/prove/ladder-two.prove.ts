/**
 * Two channels of 720p30 under `auto` at once, for most of a minute, by what the machine was measured to carry: both play, and
 * the rungs of neither fall behind what is sent. Where others keep the machine busy the highest may be shed, and is told of.
 */
import t from 'tap';
import { idleFromNow, spare } from '../support/idle-time.ts';
import { asLiveMade } from '../support/ladder-show.ts';
import { LiveSender } from '../support/live-sender.ts';
import { playlist, until } from '../support/playlists.ts';
import { percentile } from '../support/figures.ts';
import { startServer } from '../support/server.ts';
import { flvClip } from '../support/show-sender.ts';

const seconds = 50;
/** What an encoder owes longer than that becomes a hole. */
const mostBehind = 2;
/** From the beginning of the show on, in its own time. */
const soon = 5;

type Show = { readonly videoId: string; readonly shed: readonly number[]; readonly leftOut: readonly number[]; readonly restarts: number; readonly busyCores: number | null };
type Ladders = {
  readonly items: readonly { readonly cores: number | null }[];
  readonly budget: { readonly total: number; readonly leases: readonly { readonly name: string; readonly cores: number }[] };
  readonly shows: readonly Show[];
};

/** Where media of a track begins and ends, and how much of it is missing, in seconds of the show. */
const reachOf = (text: string): { first: number; last: number; holes: number } => {
  let [at, first, last, holes] = [0, Number.POSITIVE_INFINITY, 0, 0];
  let [parts, gap] = [0, false];
  for (const line of text.split('\n')) {
    const length = Number(/^#EXTINF:([\d.]+)/.exec(line)?.[1] ?? 0);
    const part = /^#EXT-X-PART:.*DURATION=([\d.]+)/.exec(line);
    if (line === '#EXT-X-GAP') gap = true;
    else if (part && !line.includes('GAP=YES')) {
      first = Math.min(first, at + parts);
      parts += Number(part[1]);
      last = at + parts;
    } else if (part) parts += Number(part[1]);
    else if (length > 0) {
      if (!gap) [first, last] = [Math.min(first, at), at + length];
      else holes += length;
      [at, parts, gap] = [at + length, 0, false];
    }
  }
  return { first, last, holes };
};

t.test('two channels under auto play side by side, and neither falls behind', async (t) => {
  const server = await startServer({ measures: true, env: asLiveMade });
  t.teardown(() => server.stop());
  const token = await server.login();
  const ladders = (): Promise<Ladders> => server.must('GET', 'ladders', undefined, token);
  await until(ladders, ({ items }) => items.every(({ cores }) => cores !== null), 100_000);

  const source = await flvClip({ width: 1280, height: 720, bframes: 2, kbps: 1200 });
  const channels = await Promise.all(['one', 'two'].map((name) => server.createChannel(token, { name, ladder: 'auto' })));
  const senders = await Promise.all(channels.map((channel) => LiveSender.connect(server, channel, source)));
  t.teardown(() => senders.forEach((sender) => sender.vanish()));
  const masters = await Promise.all(channels.map(async (channel) => (await fetch(await server.live(channel))).text()));
  const { shows, budget } = await ladders();
  t.equal(shows.length, 2);
  t.ok(budget.leases.reduce((sum, { cores }) => sum + cores, 0) <= budget.total, 'no more cores are promised than there are');
  const videos = masters.map((master) => shows.find(({ videoId }) => master.includes(videoId))?.videoId ?? '');
  const told = masters.map((master) => [...master.matchAll(/RESOLUTION=\d+x(\d+)[^\n]*\n\S*(v\d+)\/index\.m3u8/g)].map(([, height, id = '']) => ({ id, height: Number(height) })));
  t.ok((told[0]?.length ?? 0) >= 3, `whoever comes first has at least two rungs: ${JSON.stringify(told)}`);
  t.ok((told[1]?.length ?? 0) >= 2, 'the other one has some');

  const behind = new Map<string, number[]>();
  const shed = new Set<string>();
  const reached = new Map<string, number>();
  const [idleSince, began] = [idleFromNow(), performance.now()];
  while (performance.now() - began < seconds * 1000) {
    for (const [at, { name }] of channels.entries()) {
      const video = videos[at] ?? '';
      const tracks = told[at] ?? [];
      const [own, ...rungs] = await Promise.all(tracks.map(async ({ id, height }) => ({ id, height, ...reachOf((await playlist(server, video, id)).text) })));
      reached.set(name, own?.last ?? 0);
      for (const { id, last } of rungs) behind.set(`${name} ${id}`, [...(behind.get(`${name} ${id}`) ?? []), (own?.last ?? 0) - last]);
      const now = (await ladders()).shows.find(({ videoId }) => videoId === video)?.shed ?? [];
      for (const { id, height } of tracks) if (now.includes(height)) shed.add(`${name} ${id}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  const idle = idleSince();
  t.comment(`${(idle * 100).toFixed(0)} % of the processors were idle`);

  const after = await ladders();
  for (const { videoId, busyCores, restarts } of after.shows) {
    t.comment(`${videoId}: reckoned ${after.budget.leases.filter(({ name }) => name === videoId).reduce((sum, { cores }) => sum + cores, 0)} cores, busy ${busyCores?.toFixed(2)}; begun anew ${restarts} times`);
  }
  if (shed.size > 0) t.ok(idle < spare, `${[...shed].join(', ')} were shed where nothing was to spare`);
  for (const [at, { name }] of channels.entries()) {
    t.ok((reached.get(name) ?? 0) > seconds * 0.8, `what ${name} sends goes on: ${reached.get(name)} s of it`);
    const tracks = told[at] ?? [];
    for (const [index, { id, height }] of tracks.entries()) {
      const { first, last, holes } = reachOf((await playlist(server, videos[at] ?? '', id)).text);
      const late = behind.get(`${name} ${id}`);
      if (late) t.comment(`${name} ${height}p: behind the source by ${percentile(late, 0.5).toFixed(2)} s, p95 ${percentile(late, 0.95).toFixed(2)} s, most ${Math.max(...late).toFixed(2)} s; there ${first} s into the show; ${holes} of ${last} s are holes`);
      if (shed.has(`${name} ${id}`)) {
        t.not(index, tracks.length - 1, 'the lowest is not shed');
        continue;
      }
      t.ok(first <= soon, `${name} ${height}p is there ${first} s into the show`);
      t.ok(late === undefined || percentile(late, 0.5) <= mostBehind, `${name} ${height}p keeps up`);
      t.ok(holes <= (index === 0 ? 0 : last / 4), `${name} ${height}p: ${holes} of ${last} s are holes`);
    }
  }
  await Promise.all(senders.map((sender) => sender.end()));
});
