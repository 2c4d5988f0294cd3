/**
 * What a machine can carry, in a whole server: measured once and kept, `auto` chooses by it, and what there is no room for is
 * refused in words while what is sent plays.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { LiveSender } from './support/live-sender.ts';
import { playlist, until } from './support/playlists.ts';
import { startServer, type Channel, type MillraceServer, type ServerOptions } from './support/server.ts';
import { flvClip } from './support/show-sender.ts';

type Show = { readonly videoId: string; readonly ladder: string; readonly encoding: readonly number[]; readonly leftOut: readonly number[] };
type Ladders = {
  readonly items: readonly { readonly name: string; readonly cores: number | null; readonly carried: number | null }[];
  readonly budget: { readonly total: number; readonly free: number; readonly leases: readonly { readonly name: string; readonly cores: number }[] };
  readonly shows: readonly Show[];
};
type Finding = { readonly code: string; readonly params: Readonly<Record<string, unknown>> };

const source = await flvClip({ width: 1280, height: 720, bframes: 2, kbps: 1200 });
const data = mkdtempSync(path.join(tmpdir(), 'millrace-auto-'));
t.teardown(() => rmSync(data, { recursive: true, force: true }));
const kept = path.join(data, 'machine.json');
const measuredNow = 'What encoding costs on this machine has been measured';

/** A server on the same data as those before it. */
const serve = async (t: Test, options: ServerOptions): Promise<{ server: MillraceServer; token: string; ladders: () => Promise<Ladders> }> => {
  const server = await startServer({ data, ...options });
  t.teardown(() => server.stop());
  const token = await server.login();
  return { server, token, ladders: () => server.must<Ladders>('GET', 'ladders', undefined, token) };
};
const measured = ({ items }: Ladders): boolean => items.every(({ cores }) => cores !== null);

const send = async (t: Test, server: MillraceServer, channel: Channel): Promise<LiveSender> => {
  const sender = await LiveSender.connect(server, channel, source);
  t.teardown(() => sender.vanish());
  return sender;
};
/** Heights that players are told of, the source first. */
const told = async (server: MillraceServer, channel: Channel): Promise<number[]> => {
  const text = await (await fetch(await server.live(channel))).text();
  return [...new Set([...text.matchAll(/RESOLUTION=\d+x(\d+)/g)].map(([, height]) => Number(height)))];
};
/** Segments and parts of a track that are media. */
const mediaOf = async (server: MillraceServer, video: string, track: string): Promise<number> => {
  const { text, parts } = await playlist(server, video, track);
  const gaps = text.match(/#EXT-X-GAP/g)?.length ?? 0;
  return (text.match(/#EXTINF/g)?.length ?? 0) - gaps + parts.length;
};

t.test('measured at the first start, and auto gives 720p30 rungs that are there soon', async (t) => {
  const { server, token, ladders } = await serve(t, { measures: true });
  await until(ladders, measured, 100_000);
  // What it says comes by another way than what it answers.
  await until(async () => server.log, (log) => log.includes(measuredNow));
  t.match(JSON.parse(readFileSync(kept, 'utf8')), { machine: / cores \/ ffmpeg /, cost: { decode: Number, scale: Number, encode: { veryfast: Number } } });

  const channel = await server.createChannel(token, { name: 'auto', ladder: 'auto' });
  const sender = await send(t, server, channel);
  const heights = await told(server, channel);
  t.equal(heights[0], 720, 'what is sent stands first');
  t.ok(heights.length >= 3, `and at least two rungs below it: ${heights.join(', ')}`);
  const { shows, budget } = await ladders();
  const { videoId: video = '' } = shows[0] ?? {};
  t.ok(budget.free < budget.total, 'they hold cores');
  for (const [index] of heights.entries()) t.ok(await until(() => mediaOf(server, video, `v${index}`), (count) => count > 0, 30_000), `there are pictures of v${index}`);
  // One that is only interrupted would hold its cores for whoever comes back.
  await sender.end();
  await until(ladders, (now) => now.shows.length === 0);
});

/** What a machine would need that is slower than any. */
const slow = { decode: 0.002, scale: 0.001, encode: { veryfast: 0.03 } };

t.test('what was measured is kept over a restart, and what it cannot carry is refused in words', async (t) => {
  const { machine } = JSON.parse(readFileSync(kept, 'utf8')) as { machine: string };
  const text = JSON.stringify({ machine, cost: slow });
  writeFileSync(kept, text);
  const { server, token, ladders } = await serve(t, { env: { MILLRACE_ENCODE_CORES: '1' } });
  const { items, budget } = await until(ladders, measured);
  t.equal(budget.total, 1);
  // Of 1080p30: 1.8 million pixels a picture more to read than of what is sent here.
  t.match(items.find(({ name }) => name === 'light'), { cores: 0.84, carried: 2 }, 'reckoned by what is kept');

  const begin = async (name: string, ladder = 'light'): Promise<{ channel: Channel; sender: LiveSender; heights: number[] }> => {
    const channel = await server.createChannel(token, { name, ladder });
    const sender = await send(t, server, channel);
    return { channel, sender, heights: await told(server, channel) };
  };
  const refused = async ({ id }: Channel): Promise<unknown> => {
    const ask = (): Promise<{ findings: Finding[] }> => server.must('GET', `channels/${id}/ingest`, undefined, token);
    const { findings } = await until(ask, (health) => health.findings.some(({ code }) => code === 'ladderCut'));
    return findings.find(({ code }) => code === 'ladderCut')?.params['heights'];
  };
  const first = await begin('first');
  t.same(first.heights, [720, 480, 240]);
  const second = await begin('second');
  t.same(second.heights, [720, 240], 'the highest is left out of what there is no room for');
  t.equal(await refused(second.channel), '480p');
  const third = await begin('third', 'auto');
  t.same(third.heights, [720], 'what is sent plays all the same');
  t.match(await refused(third.channel), '240p');
  const { shows, budget: full } = await ladders();
  t.same(shows.map(({ leftOut }) => leftOut), [[], [480], [480, 360, 240]], 'admins see who goes without');
  t.ok(full.free < 0.2, `${full.free} of ${full.total} cores are free`);

  // Another choice counts from the next show on.
  await server.must('PATCH', `channels/${first.channel.id}`, { ladder: 'source' }, token);
  t.equal((await ladders()).shows[0]?.ladder, 'light');
  t.same(await told(server, first.channel), [720, 480, 240]);
  await first.sender.end();
  await until(ladders, ({ shows: on }) => on.length === 2);
  await third.sender.end();
  await until(ladders, ({ shows: on }) => on.length === 1);
  await Promise.all([first, third].map(({ channel }) => send(t, server, channel)));
  t.same(await told(server, third.channel), [720, 480, 240], 'there is room again for a show that begins now');
  t.same(await told(server, first.channel), [720], 'the other choice counts');

  t.notMatch(server.log, measuredNow, 'nothing was measured again');
  t.equal(readFileSync(kept, 'utf8'), text);
});
