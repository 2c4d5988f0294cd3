import t from 'tap';
import { mediaPlaylist } from '../hls/media.ts';
import { FakeClock } from '../clock.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock } from '../media/unit.ts';
import { epochDate } from './epoch-date.ts';
import { audioConfig, otherVideoConfig, units, videoConfig } from './pretend-sender.ts';
import { LiveRun } from './run.ts';
import { Show } from './show.ts';

t.test('an epoch is dated when it arrives, and never before what is ahead of it has ended', (t) => {
  t.equal(epochDate(10_000.4, null), 10_000, 'the first one');
  t.equal(epochDate(10_000, 9_000), 10_000, 'behind an outage');
  t.equal(epochDate(10_000, 10_000), 10_001, 'never on the point');
  t.equal(epochDate(10_000, 10_027.2), 10_029, 'announced earlier than it should have been');
  t.equal(epochDate(10_000, 10_000.2), 10_002, 'by part of a millisecond');
  t.equal(epochDate(10_000, 11_000), 11_001);
  t.equal(epochDate(10_000, 11_001), 10_000, 'whoever sends faster than time is dated by the wall clock again');
  t.end();
});

/** Begin and end of what each segment of the pictures says, ms. */
const spans = (playlist: string): { from: number; to: number }[] =>
  [...playlist.matchAll(/#EXT-X-PROGRAM-DATE-TIME:(\S+)\n(?:#EXT-X-PART.*\n)*#EXTINF:([\d.]+),/g)].map(([, date = '', seconds = '']) => {
    const from = Date.parse(date);
    return { from, to: from + Number(seconds) * 1000 };
  });

t.test('the media of a show overlaps nowhere in its dates, however late its epochs were announced', async (t) => {
  const clock = new FakeClock();
  const logs = new Map<string, MemoryLog>();
  const fault = (error: unknown): never => {
    throw error;
  };
  const show = new Show({
    clock,
    wish: { latency: 'low', dvrSeconds: 0, captions: [] },
    fault,
    open: async (shape) => {
      for (const { id } of shape.tracks) logs.set(id, new MemoryLog());
      return new LiveRun({ facts: { video: 'video', run: 'firstrun', ...shape }, logs, clock, onFault: fault });
    },
  });
  // Each sending arrives so many ms late, and the line makes up for it before the next one.
  const late = [90, 60, 0, 40, 5];
  const begun = clock.now();
  for (const [index, ms] of late.entries()) {
    clock.advance(begun + index * 6_000 + ms - clock.now());
    show.begin(rtmpClock);
    for (const config of [index % 2 ? otherVideoConfig : videoConfig, audioConfig()]) show.track(config);
    for (const unit of units(6_000, { shift: index * 6_000 })) {
      clock.advance(Math.max(0, begun + index * 6_000 + unit.dts - index * 6_000 - clock.now()));
      show.write(unit);
    }
    await show.pause();
  }
  const run = show.run;
  if (!run) return t.fail('the gate never opened');
  const snapshot = run.snapshot();
  t.equal(snapshot.epochs.length, late.length);
  const said = spans(mediaPlaylist(snapshot, 'v0'));
  t.ok(said.length >= 2 * late.length, `${said.length} segments`);
  for (const [index, { from }] of said.entries()) {
    const before = said[index - 1];
    // Dates have whole milliseconds: half of one either way.
    if (before) t.ok(from - before.to >= -1, `segment ${index} begins ${(from - before.to).toFixed(3)} ms behind the one ahead`);
  }
  await show.finish();
});
