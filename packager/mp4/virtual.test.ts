import t from 'tap';
import { readFragments } from '../cmaf/reader.ts';
import { readerConformance } from '../log/conformance.ts';
import { random } from '../log/sample.ts';
import type { Grid } from './grid.ts';
import { plainEdit, pictureSamples, pretendMovie, soundSamples, sourceOf, type PretendMovie, type PretendSample, type PretendTrack } from './pretend-movie.ts';
import { planMovie } from './virtual.ts';
import { virtualEpoch } from './virtual-facts.ts';
import { Landing } from './virtual-landing.ts';
import { VirtualTrackLog } from './virtual-log.ts';

const epoch = { run: 'run1234567', wallClock: Date.UTC(2026, 0, 1) };

const logsOf = ({ movie, source }: PretendMovie, grid: Grid | null = null): VirtualTrackLog[] =>
  planMovie(movie, { grid }).tracks.map((plan) => new VirtualTrackLog(plan, source, virtualEpoch(plan, epoch)));

type Shown = { readonly dts: number; readonly pts: number; readonly duration: number; readonly key: boolean; readonly data: Buffer };

/** Every sample of a log, read back out of its fragments by the reader that everything else is read with. */
const samplesOf = async (log: VirtualTrackLog): Promise<Shown[][]> => {
  const { end } = log.snapshot();
  return (await log.read(0, end)).map((bytes) => {
    if (bytes.length === 0) return [];
    const [fragment] = readFragments(bytes);
    let dts = fragment?.baseDecodeTime ?? 0;
    return (fragment?.samples ?? []).map(({ duration, cts, key, offset, size }) => {
      const shown = { dts, pts: dts + cts, duration, key, data: bytes.subarray(offset, offset + size) };
      dts += duration;
      return shown;
    });
  });
};
const startsOf = (log: VirtualTrackLog): number[] => [...log.plan.starts];

const pictureTrack = (samples: readonly PretendSample[], more: Partial<PretendTrack> = {}): PretendTrack => ({ kind: 'video', timescale: 25_000, samples, ...more });
const soundTrack = (samples: readonly PretendSample[], more: Partial<PretendTrack> = {}): PretendTrack => ({ kind: 'audio', timescale: 48_000, samples, ...more });

/** 30 s of pictures with B-frames, and as much sound with priming, as ffmpeg would write it. */
const usual = (): PretendMovie =>
  pretendMovie([
    pictureTrack(pictureSamples(750, 30, { reorder: 1 }), { edit: plainEdit(1000, 0, 750_000) }),
    soundTrack(soundSamples(1408), { edit: plainEdit(1024) }),
  ]);

for (const [name, track] of [['picture', 0], ['sound', 1]] as const) {
  t.test(`the virtual log of a ${name} is a track log`, async (t) => {
    readerConformance(t, async () => {
      const pretend = usual();
      const [picture, sound] = logsOf(pretend);
      const log = track === 0 ? picture : sound;
      const other = logsOf(pretend)[track];
      if (!log || !other) throw new Error('no log');
      return { reader: log, bytes: await other.read(0, other.snapshot().end) };
    });
  });
}

t.test('segments are whole GOPs of at least two seconds, from key frame to key frame; a short rest joins the last', async (t) => {
  const [log] = logsOf(pretendMovie([pictureTrack(pictureSamples(750, 30, { reorder: 1 }), { edit: plainEdit(1000) })]));
  // 1.2 s a GOP: two of them a segment, 12.5 segments; the last GOP of 1.2 s joins.
  t.same(startsOf(log!), [...Array.from({ length: 12 }, (_, k) => k * 60_000), 750_000]);
  t.same((await samplesOf(log!)).map((samples) => samples.length), [...Array.from({ length: 11 }, () => 60), 90]);
});

t.test('every picture is there once, at its time, byte for byte, and segments follow each other without a hole', async (t) => {
  const pretend = usual();
  const [log] = logsOf(pretend);
  const segments = await samplesOf(log!);
  const samples = segments.flat();
  t.equal(samples.length, 750);
  t.same(samples.map(({ pts }) => pts).sort((a, b) => a - b), Array.from({ length: 750 }, (_, n) => n * 1000));
  const { rows } = { rows: pretend.movie.tracks[0]!.samples.rows(0, 750) };
  t.ok(samples.every(({ data }, n) => data.equals(pretend.bytes.subarray(rows.offset[n]!, rows.offset[n]! + rows.size[n]!))));
  for (const [index, segment] of segments.entries()) {
    t.ok(segment[0]?.key && segment[0].dts === segment[0].pts, 'decoding begins when the key frame is shown');
    const end = segment.reduce((sum, { duration }) => sum + duration, segment[0]!.dts);
    t.equal(end, segments[index + 1]?.[0]?.dts ?? 750_000);
  }
  t.equal(log!.snapshot().epochs[0]?.reorderDelay, 1000);
});

t.test('sound: priming is left out, the rest keeps its time and is cut at the first frame behind each line', async (t) => {
  const pretend = usual();
  const [picture, sound] = logsOf(pretend);
  const segments = await samplesOf(sound!);
  const frames = segments.flat();
  t.equal(frames.length, 1407);
  t.ok(frames.every(({ pts }, n) => pts === n * 1024));
  const lines = startsOf(picture!);
  for (const [index, segment] of segments.entries()) {
    const from = (lines[index]! * 48) / 25;
    t.ok(segment[0]!.pts >= from && segment[0]!.pts - 1024 < from, `segment ${index} begins at ${segment[0]!.pts}`);
  }
  t.equal(segments.length, lines.length - 1);
});

t.test('an empty edit is a delay: nothing of it is moved or stretched', async (t) => {
  const pretend = pretendMovie([
    pictureTrack(pictureSamples(250, 50), { edit: plainEdit(0, 12_500) }),
    soundTrack(soundSamples(470)),
  ]);
  const [picture, sound] = logsOf(pretend);
  t.equal(startsOf(picture!)[0], 12_500);
  t.equal(startsOf(sound!)[0], 0);
  const [first] = await samplesOf(sound!);
  t.ok(first!.at(-1)!.pts < 2.5 * 48_000 && first!.at(-1)!.pts + 1024 >= 2.5 * 48_000, 'the first segment of sound reaches to the second line');
});

t.test('where no sound begins is a declared hole; what goes on behind the picture has segments of its own', async (t) => {
  const late = soundSamples(470).map((sample) => ({ ...sample, dts: sample.dts + 5 * 48_000 }));
  const pretend = pretendMovie([pictureTrack(pictureSamples(250, 50)), soundTrack(late)]);
  const [picture, sound] = logsOf(pretend);
  t.same(startsOf(picture!), [0, 50_000, 100_000, 150_000, 200_000, 250_000]);
  const snapshot = sound!.snapshot();
  const entries = Array.from({ length: snapshot.end }, (_, seq) => snapshot.entry(seq));
  t.same(entries.map(({ gap }) => gap), [true, true, false, false, false, false, false]);
  t.same(entries.slice(0, 3).map(({ dts }) => dts), [0, 96_000, 240_000]);
  t.ok(entries.every(({ dts, duration }, index) => index === entries.length - 1 || dts + duration === entries[index + 1]!.dts), 'one after the other');
  t.equal((await samplesOf(sound!)).flat().length, 470);
  t.equal(entries.at(-1)!.dts + entries.at(-1)!.duration, 240_000 + 470 * 1024);

  const hole = soundSamples(470).map((sample, n) => (n < 100 ? sample : { ...sample, dts: sample.dts + 4 * 48_000 }));
  const [, torn] = logsOf(pretendMovie([pictureTrack(pictureSamples(400, 50)), soundTrack(hole.map((sample, n) => (n === 99 ? { ...sample, duration: 1024 + 4 * 48_000 } : sample)))]));
  const gaps = Array.from({ length: torn!.snapshot().end }, (_, seq) => torn!.snapshot().entry(seq).gap);
  t.same(gaps, [false, false, true, false, false, false, false, false]);
  t.ok((await samplesOf(torn!)).flat().every(({ pts }, n) => pts === hole[n]!.dts));
});

t.test('sound that ends a moment after the picture makes no segment of its own; sound that ends earlier just ends', async (t) => {
  const [picture, longer] = logsOf(pretendMovie([pictureTrack(pictureSamples(250, 50)), soundTrack(soundSamples(480))]));
  t.equal(longer!.snapshot().end, picture!.snapshot().end);
  const [, shorter] = logsOf(pretendMovie([pictureTrack(pictureSamples(250, 50)), soundTrack(soundSamples(200))]));
  t.equal(shorter!.snapshot().end, 3);
});

t.test('pictures of changing rates: stamps stay, and key frames that come sooner after their decoding leave no time behind', async (t) => {
  const next = random(7);
  const samples: PretendSample[] = [];
  let dts = 0;
  for (let n = 0; n < 600; n += 1) {
    const duration = 100 + Math.floor(next() * 2000);
    // Every other GOP is decoded much further ahead of its pictures.
    samples.push({ dts, cts: Math.floor(n / 60) % 2 === 0 ? 4000 : 10, duration, key: n % 60 === 0, size: 10 });
    dts += duration;
  }
  const shownLater = samples.map((sample, n) => (n % 60 >= 55 ? { ...sample, cts: Math.min(sample.cts ?? 0, 10) } : sample));
  const sources = shownLater.map(({ dts: at, cts = 0 }) => at + cts);
  const [log] = logsOf(pretendMovie([pictureTrack(shownLater, { edit: plainEdit(4000) })]));
  const segments = await samplesOf(log!);
  t.same(segments.flat().map(({ pts }) => pts), sources.map((pts) => Math.max(0, pts - 4000)));
  t.ok(segments.flat().every(({ duration }) => duration >= 1));
  for (const [index, segment] of segments.entries()) {
    t.equal(segment.reduce((sum, { duration }) => sum + duration, segment[0]!.dts), segments[index + 1]?.[0]?.dts ?? startsOf(log!).at(-1));
  }
});

t.test('sound alone is cut into about four seconds of whole frames', async (t) => {
  const [log] = logsOf(pretendMovie([soundTrack(soundSamples(1000))]));
  const counts = (await samplesOf(log!)).map((frames) => frames.length);
  t.same(counts, [187, 187, 187, 187, 252], 'of the fifth 1.4 s would be left');
});

t.test('a grid from elsewhere is kept to: by sound anywhere, by pictures only on key frames', async (t) => {
  const grid: Grid = { timescale: 90_000, starts: Float64Array.of(0, 180_000, 540_000), end: 900_000 };
  const [picture, sound] = logsOf(pretendMovie([pictureTrack(pictureSamples(250, 50)), soundTrack(soundSamples(470))]), grid);
  t.same(startsOf(picture!), [0, 50_000, 150_000, 250_000]);
  t.equal(sound!.snapshot().end, 3);
  t.equal(startsOf(sound!)[1], 94 * 1024);
  const off: Grid = { ...grid, starts: Float64Array.of(0, 200_000) };
  t.throws(() => logsOf(pretendMovie([pictureTrack(pictureSamples(250, 50))]), off), { code: 'unsupported' });
});

t.test('what no fragments can be cut from is refused with its reason', async (t) => {
  const refused = (samples: readonly PretendSample[], more: Partial<PretendTrack>, words: RegExp): void => {
    t.throws(() => logsOf(pretendMovie([pictureTrack(samples, more)])), { code: 'unsupported', message: words });
  };
  refused(pictureSamples(100, 50), { edit: { kind: 'complex', why: 'two pieces' } }, /two pieces/);
  refused(pictureSamples(100, 50), { edit: plainEdit(3000) }, /does not begin with a key frame/);
  refused(pictureSamples(100, 50), { edit: plainEdit(900_000) }, /nothing of track 1/);
  const open = pictureSamples(100, 50, { reorder: 1 }).map((sample, n) => (n === 51 ? { ...sample, cts: -1000 } : sample));
  refused(open, {}, /ahead of the key frame/);
  t.throws(() => logsOf(pretendMovie([soundTrack(soundSamples(10), { edit: plainEdit(90_000) })])), { code: 'unsupported' });
  const { movie, ...rest } = pretendMovie([pictureTrack(pictureSamples(100, 50))]);
  const [track] = movie.tracks;
  if (track?.kind !== 'video') throw new Error('no picture');
  const config = Buffer.from(track.config);
  config[4] = 0xfd;
  t.throws(() => logsOf({ movie: { ...movie, tracks: [{ ...track, config }] }, ...rest }), { code: 'unsupported', message: /lengths of 2 bytes/ });
});

t.test('an edit that ends earlier leaves out what is not shown', async (t) => {
  const [log] = logsOf(pretendMovie([pictureTrack(pictureSamples(250, 50), { edit: plainEdit(0, 0, 120_500) })]));
  t.equal((await samplesOf(log!)).flat().length, 121);
});

t.test('while a file arrives, what has landed in all tracks can be played, and nothing else', async (t) => {
  const pretend = usual();
  const whole = await Promise.all(logsOf(pretend).map((log) => log.read(0, log.snapshot().end)));
  for (const order of ['forward', 'backward', 'shuffled'] as const) {
    const size = 1000;
    const pieces = Array.from({ length: Math.ceil(pretend.bytes.length / size) }, (_, n) => n);
    const next = random(3);
    if (order === 'backward') pieces.reverse();
    if (order === 'shuffled') pieces.sort(() => next() - 0.5);
    const there = new Set<number>();
    let asked = 0;
    const has = (from: number, to: number): boolean => {
      asked += 1;
      for (let piece = Math.floor(from / size); piece * size < to; piece += 1) if (!there.has(piece)) return false;
      return true;
    };
    const plan = planMovie(pretend.movie);
    const source = sourceOf(pretend.bytes, has);
    const logs = plan.tracks.map((one) => new VirtualTrackLog(one, source, virtualEpoch(one, epoch), 0));
    const landing = new Landing(logs);
    let last = 0;
    for (const piece of pieces) {
      there.add(piece);
      while (landing.landed(has));
      if (landing.reached === last) continue;
      for (const [index, log] of logs.entries()) {
        const end = log.snapshot().end;
        t.equal(end, landing.reached);
        const read = await log.read(last, end);
        t.ok(read.every((bytes, at) => bytes.equals(whole[index]![last + at]!)), `${order}: ${last} to ${end}`);
      }
      last = landing.reached;
      if (!landing.whole) await t.rejects(logs[0]!.read(last, last + 1), { code: 'not-yet' });
    }
    t.ok(landing.whole);
    if (order === 'forward') t.equal(last, 12);
    t.ok(asked < 40 * pieces.length, `${order}: asked ${asked} times for ${pieces.length} pieces`);
  }
});

t.test('a file that is shorter than its index says is damaged where it is missing', async (t) => {
  const pretend = usual();
  const plan = planMovie(pretend.movie);
  const short = sourceOf(pretend.bytes.subarray(0, 5000));
  const log = new VirtualTrackLog(plan.tracks[0]!, short, virtualEpoch(plan.tracks[0]!, epoch));
  await t.rejects(log.readChecked(11, 12), { code: 'corrupt' });
  t.equal((await log.readHeads(11, 12, 100))[0]?.length, 100, 'its head needs no media');
});

t.test('whatever the rates, the groups and the delays: nothing is lost, doubled or moved', async (t) => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const next = random(seed);
    const below = (count: number): number => Math.floor(next() * count);
    const reorder = below(3);
    let dts = below(2) * below(90_000);
    let left = 0;
    const pictures = Array.from({ length: 50 + below(700) }, (): PretendSample => {
      const key = left <= 0;
      left = key ? 1 + below(120) : left - 1;
      const duration = 300 + below(2000);
      const sample = { dts, cts: reorder * 3000, duration, key, size: below(300) };
      dts += duration;
      return sample;
    });
    const begin = (pictures[0]?.dts ?? 0) + (pictures[0]?.cts ?? 0);
    const delay = below(2) * below(20_000);
    const priming = below(3) * 1024;
    const soundDelay = below(2) * below(200_000);
    const pretend = pretendMovie(
      [
        pictureTrack(pictures, { edit: plainEdit(begin, delay) }),
        soundTrack(soundSamples(100 + below(1500)), { edit: plainEdit(priming, soundDelay) }),
      ],
      { seed, chunkSeconds: 0.1 + next() },
    );
    for (const [index, log] of logsOf(pretend).entries()) {
      const { samples } = pretend.movie.tracks[index]!;
      const rows = samples.rows(0, samples.count);
      const snapshot = log.snapshot();
      const read = await log.read(0, snapshot.end);
      const shown = (await samplesOf(log)).flat();
      const skipped = index === 0 ? 0 : priming / 1024;
      const shift = index === 0 ? delay - begin : soundDelay - priming;
      let fault = shown.length === samples.count - skipped ? '' : `${shown.length} of ${samples.count}`;
      for (const [at, { pts, data }] of shown.entries()) {
        const row = at + skipped;
        const [offset, size] = [rows.offset[row]!, rows.size[row]!];
        if (pts !== rows.dts[row]! + rows.cts[row]! + shift) fault ||= `sample ${row} is at ${pts}`;
        if (!data.equals(pretend.bytes.subarray(offset, offset + size))) fault ||= `sample ${row} is another`;
      }
      for (let seq = 0; seq < snapshot.end; seq += 1) {
        const { size, dts: start, duration } = snapshot.entry(seq);
        if (read[seq]!.length !== size) fault ||= `fragment ${seq} has ${read[seq]!.length} bytes, and not ${size}`;
        if (seq + 1 < snapshot.end && start + duration !== snapshot.entry(seq + 1).dts) fault ||= `segment ${seq} does not end where the next begins`;
        if (index === 0 && seq + 1 < snapshot.end && duration < 2 * 25_000) fault ||= `segment ${seq} lasts ${duration}`;
      }
      t.equal(fault, '', `seed ${seed}, ${index === 0 ? 'pictures' : 'sound'}`);
    }
  }
});

t.test('what would make segments without end is refused', async (t) => {
  const far = [...soundSamples(470), { dts: 2 ** 51, duration: 1024 }];
  t.throws(() => logsOf(pretendMovie([pictureTrack(pictureSamples(250, 50)), soundTrack(far)])), { code: 'limit' });
  const stills = Array.from({ length: 70_000 }, (_, n) => ({ dts: n, duration: 1, size: 0, key: n === 0 }));
  t.throws(() => logsOf(pretendMovie([pictureTrack(stills)])), { code: 'limit' });
  const years = plainEdit(0, 2 ** 50);
  t.throws(() => logsOf(pretendMovie([pictureTrack(pictureSamples(250, 50), { edit: years })])), { code: 'unsupported' });
  t.throws(() => logsOf(pretendMovie([soundTrack(soundSamples(470), { edit: years })])), { code: 'unsupported' });
});
