import t from 'tap';
import { spans } from '../dash/spans.ts';
import { mediaPlaylist } from '../hls/media.ts';
import { broken } from './laws.ts';
import { units } from './pretend-sender.ts';
import { picturesOf, runOf, sameTimes, segments, send, type Stage, stage } from './pretend-ladder.ts';

for (const [why, late] of [
  ['takes long to start', (made: Stage, isLate: boolean) => ((made.stuck = isLate), isLate || made.encoders.forEach((encoder) => (encoder.isStuck = false)))],
  ['has no room at first', (made: Stage, isLate: boolean) => (made.room = () => !isLate)],
] as const) {
  t.test(`an encoder that ${why} has holes at the beginning, and pictures from a key picture on`, async (t) => {
    const made = stage();
    const listed: string[] = [];
    const look = (): void => void (made.show.run && listed.push(mediaPlaylist(made.show.run.snapshot(), 'v1')));
    await send(made, (late(made, true), units(40_000)), (index) => {
      if (index === 600) late(made, false);
      if (index % 100 === 0) look();
    });
    const run = runOf(made);
    await run.settled();
    look();
    const own = segments(run, 'v1') as { msn: number; gap: boolean }[];
    const from = own.findIndex(({ gap }) => !gap);
    t.ok(from > 0 && from < own.length - 5, `${from} of ${own.length} are holes`);
    t.same(own.slice(from).filter(({ gap }) => gap), [], 'and none after that');
    t.ok((await picturesOf(made, 'v1')).length > 300);
    const text = listed.at(-1) ?? '';
    t.equal(text.match(/EXT-X-MAP/g)?.length, 1);
    const opening = text.slice(text.indexOf('#EXT-X-MAP')).split('\n').slice(0, 2).join(' ');
    t.match(opening, /^#EXT-X-MAP:URI="[^"]+" #EXT-X-PROGRAM-DATE-TIME/);
    t.equal(text.slice(0, text.indexOf('#EXT-X-MAP')).match(/#EXTINF/g)?.length, from, 'ahead of the first that is none');
    t.notMatch(text, '#EXT-X-DISCONTINUITY\n', 'it is the epoch of the source');
    // What was listed of holes is never changed.
    const closed = (one: string): string => one.slice(one.indexOf('#EXT-X-PROGRAM-DATE-TIME'), Math.max(0, one.lastIndexOf('#EXT-X-PROGRAM-DATE-TIME'))).replaceAll(/#EXT-X-PART:.*\n/g, '');
    for (const one of listed) t.ok(closed(text).startsWith(closed(one)));
    t.same(spans(run.snapshot()).map(({ id }) => id), ['e0', `e0-${from + 1}`], 'in DASH it is there from a Period of its own on');
    // A later start finds what was told last.
    const stored = made.logs.get('v1')?.snapshot().epochs ?? [];
    t.same(stored.map(({ epoch, init }) => [epoch, init.length > 0]), [[0, true]]);
    await made.show.finish();
    t.same(broken(run.snapshot(), { shortParts: true }), []);
    sameTimes(t, run, ['v1', 'v2']);
  });
}
