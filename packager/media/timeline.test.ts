import t from 'tap';
import { EpochTimeline, type EpochOptions, type PlacedUnit } from './timeline.ts';
import { rtmpClock, type AccessUnit } from './unit.ts';
import { rescale, Unwrapper } from './wire-time.ts';

const sound48 = { timescale: 48_000, sampleRate: 48_000, frameLength: 1024, silence: Buffer.from('silence') };
const epoch = (more: Partial<EpochOptions> = {}): EpochTimeline =>
  new EpochTimeline({ clock: rtmpClock, startMicros: 0, hasVideo: true, audio: sound48, usualFrameMicros: 33_333, longestPictureMicros: 60_000_000, ...more });
const video = (dts: number, pts = dts, key = false): AccessUnit => ({ kind: 'video', dts, pts, key, data: Buffer.from('v') });
const audio = (pts: number): AccessUnit => ({ kind: 'audio', dts: pts, pts, key: true, data: Buffer.from('a') });
const placed = (result: PlacedUnit[] | 'break'): PlacedUnit[] => {
  if (result === 'break') throw new Error('the epoch broke');
  return result;
};
const one = (result: PlacedUnit[] | 'break'): PlacedUnit => {
  const [unit, ...more] = placed(result);
  if (!unit || more.length > 0) throw new Error(`expected one unit`);
  return unit;
};

t.test('the first pts of an epoch is its dts, and sound keeps its place beside the picture', async (t) => {
  const line = epoch();
  const first = one(line.place(video(1000, 1066, true)));
  t.equal(first.dts, 0);
  t.equal(first.pts, 0);
  t.equal(line.reorderDelay, 66 * 90);
  const second = one(line.place(video(1033, 1200)));
  t.equal(second.dts, 33 * 90);
  t.equal(second.pts, 134 * 90);
  // A sound that the wire stamps 66 ms after the first decode time belongs to the first picture.
  t.equal(one(line.place(audio(1066))).dts, 0);
});

t.test('a picture that is said to be shown hours after it was decoded is shown then', async (t) => {
  const line = epoch();
  t.equal(one(line.place(video(0, 8_280_000, true))).pts, 0);
  t.equal(line.reorderDelay, 0);
  const next = one(line.place(video(40, 2 ** 32 - 8_280_000)));
  t.equal(next.pts, next.dts);
  t.equal(one(line.place(video(80, 20_080))).pts, 20_080 * 90, 'one in five seconds, and some of them out of order');
});

t.test('pictures before the first key frame are dropped, and sound before it too', async (t) => {
  const line = epoch();
  t.same(line.place(video(0)), []);
  t.same(line.place(audio(5)), []);
  t.same(line.place(audio(110)), []);
  const begun = placed(line.place(video(100, 100, true)));
  t.same(begun.map(({ kind, dts }) => [kind, dts]), [['video', 0], ['audio', 480]]);
});

t.test('sound runs in whole frames, whatever the milliseconds say', async (t) => {
  const line = epoch();
  line.place(video(0, 0, true));
  for (let frame = 0; frame < 500; frame += 1) {
    const unit = one(line.place(audio(Math.round((frame * 1024) / 48))));
    t.equal(unit.dts, frame * 1024);
    if (frame % 3 === 0) line.place(video(Math.round((frame * 1024) / 48) + 1));
  }
});

t.test('a hole in the sound is filled with silence, and a doubled stretch is dropped', async (t) => {
  const line = epoch();
  line.place(video(0, 0, true));
  line.place(audio(0));
  const after = placed(line.place(audio(500)));
  t.equal(after.filter(({ data }) => data.toString() === 'silence').length, 22);
  t.equal(after.at(-1)?.data.toString(), 'a');
  let expected = 1024;
  for (const unit of after) {
    t.equal(unit.dts, expected);
    expected += 1024;
  }
  t.same(line.place(audio(300)), [], 'this time has passed');
});

t.test('without a known silence a hole in the sound is a break', async (t) => {
  const line = epoch({ audio: { ...sound48, silence: null } });
  line.place(video(0, 0, true));
  line.place(audio(0));
  t.equal(line.place(audio(500)), 'break');
});

t.test('a jump is a break, forwards and backwards; a slip is repaired', async (t) => {
  const line = epoch();
  line.place(video(10_000, 10_000, true));
  line.place(video(10_033));
  t.equal(one(line.place(video(10_033))).dts, 33 * 90 + 1);
  t.equal(one(line.place(video(10_020))).dts, 33 * 90 + 2);
  t.equal(line.place(video(20_000)), 'break');
  t.equal(line.place(video(5_000)), 'break');
});

t.test('a screen share at a picture in two seconds does not jump', async (t) => {
  const line = epoch({ usualFrameMicros: 2_000_000 });
  line.place(video(0, 0, true));
  t.equal(one(line.place(video(8_000))).dts, 8_000 * 90);
});

t.test('a counter that wraps goes on', async (t) => {
  const line = epoch();
  const start = 2 ** 32 - 40;
  line.place(video(start, 2 ** 32 - 7, true));
  t.equal(one(line.place(video((start + 66) % 2 ** 32, 59))).dts, 66 * 90);
  t.equal(one(line.place(audio(0))).dts, 336);
});

t.test('the next epoch starts where it is told to', async (t) => {
  const line = epoch({ startMicros: 7_000_000 });
  t.equal(one(line.place(video(123_456, 123_456, true))).dts, 630_000);
  t.equal(one(line.place(audio(123_456))).dts, 336_000);
  t.equal(line.audioEndMicros, 7_000_000 + 21_333);
});

t.test('a new sample rate keeps the timescale of the track without drifting', async (t) => {
  const line = epoch({ hasVideo: false, audio: { timescale: 48_000, sampleRate: 44_100, frameLength: 1024, silence: null } });
  let end = 0;
  for (let frame = 0; frame < 4410; frame += 1) {
    const unit = one(line.place(audio(Math.round((frame * 1024) / 44.1))));
    t.equal(unit.dts, end);
    end += unit.duration ?? 0;
  }
  t.equal(end, rescale(4410 * 1024, 44_100, 48_000));
});

t.test('unwrapping follows the nearest reading', async (t) => {
  const counter = new Unwrapper({ timescale: 1000, bits: 32 });
  t.equal(counter.unwrap(2 ** 32 - 5), 2 ** 32 - 5);
  t.equal(counter.unwrap(5), 2 ** 32 + 5);
  t.equal(counter.unwrap(2 ** 32 - 1), 2 ** 32 - 1);
});
