/** The second sound of a show, out of an encoder that is played: where its frames lie when encoders die, hang or are not there. */
import t from 'tap';
import { FakeClock } from '../clock.ts';
import { silentAacFrame, parseAudioSpecificConfig } from '../media/aac.ts';
import { surroundOpusConfig } from '../media/opus.ts';
import type { AudioConfig } from '../media/unit.ts';
import { Random } from '../../test/support/random.ts';
import type { RunTrack } from './run-facts.ts';
import { planSecondSound, secondConfig, SecondSound } from './second-sound.ts';
import type { SoundAsk, SoundTrouble } from './second-sound-epoch.ts';
import type { Cut } from './segmenter.ts';

const FRAME = 1024;
const opus: AudioConfig = { kind: 'audio', codec: 'opus', config: surroundOpusConfig(2) };
const facts = { of: 'a0', channels: 2, bitRate: 160_000, framesPerPart: 16 } as const;
const track: RunTrack = { id: 'a1', kind: 'audio', codec: 'aac', timescale: 48_000, bandwidth: 1, averageBandwidth: 1, partTarget: 0.344, group: 'audio-aac', secondSound: facts };
const silence = silentAacFrame(parseAudioSpecificConfig(secondConfig(facts).config));

/** Says of each frame what the encoder had been given of it: frames that lack something are left out. */
class PlayedEncoder {
  readonly ask: SoundAsk;
  #next: number;
  #end: number;
  #isOver = false;
  mute = false;

  constructor(ask: SoundAsk) {
    this.ask = ask;
    this.#next = ask.from - FRAME;
    this.#end = ask.packetsFrom;
  }
  packet(pts: number, data: Buffer): void {
    if (this.#isOver) return;
    if (pts !== this.#end) throw new Error(`a packet at ${pts}, where ${this.#end} was next`);
    this.#end = pts + data.readUInt16BE(0);
    while (!this.mute && this.#next + 2 * FRAME <= this.#end) this.#out();
  }
  #out(): void {
    const pts = this.#next;
    this.#next += FRAME;
    this.ask.frame(pts, Buffer.from(`frame ${pts}`));
  }
  end(): void {
    while (!this.mute && this.#next < this.#end) this.#out();
    if (!this.mute) this.over('drained');
  }
  kill(): void {
    this.over('failed');
  }
  over(how: 'drained' | 'failed'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.ask.over(how, how);
  }
}

class Stage {
  readonly clock = new FakeClock();
  readonly encoders: PlayedEncoder[] = [];
  readonly written: { readonly epoch: number; readonly cut: Cut }[] = [];
  readonly troubles: SoundTrouble[] = [];
  readonly epochs: number[] = [];
  absent = false;
  muted = false;
  at = 0;
  line = 0;
  readonly sound = new SecondSound({
    ...{ clock: this.clock, track, facts },
    run: {
      beginRung: (_id, epoch, made) => (this.epochs.push(epoch), made),
      writeRung: (_id, cut) => this.written.push({ epoch: this.epochs.at(-1) ?? -1, cut }),
    },
    start: (ask) => {
      if (this.absent) return null;
      const encoder = new PlayedEncoder(ask);
      encoder.mute = this.muted;
      this.encoders.push(encoder);
      return encoder;
    },
    trouble: (trouble) => this.troubles.push(trouble),
  });

  begin(epoch: number): void {
    this.sound.begin(epoch, opus, Math.round((this.at * 1e6) / 48_000));
    this.line = this.at;
  }
  /** So many samples of sound, in real time, and the lines of pictures beside it: parts of a third of a second, segments of two. */
  send(samples: number): void {
    const data = Buffer.alloc(20);
    data.writeUInt16BE(samples);
    this.sound.unit({ kind: 'audio', dts: this.at, pts: this.at, duration: samples, key: true, data });
    this.at += samples;
    while (this.at >= this.line + 16_000) this.sound.line(this.#cut());
    this.clock.advance((samples * 1000) / 48_000);
  }
  #cut(): Cut {
    const dts = Math.round((this.line * 90_000) / 48_000);
    this.line += 16_000;
    return { type: 'fragment', kind: 'video', dts, firstPts: dts, duration: 30_000, key: false, segmentStart: false, segmentEnd: this.line % 96_000 === 0, samples: [] };
  }
  sendFor(seconds: number): this {
    for (const end = this.at + seconds * 48_000; this.at < end; ) this.send(960);
    return this;
  }
  end(): void {
    this.sound.end([{ ...this.#cut(), duration: 1, segmentEnd: true } as Cut], Math.round((this.at * 1e6) / 48_000));
  }
  get frames(): { pts: number; data: Buffer }[] {
    return this.written.flatMap(({ cut }) => (cut.type === 'fragment' ? cut.samples.map(({ data }, index) => ({ pts: cut.dts + index * FRAME, data: data as Buffer })) : []));
  }
  get silent(): number[] {
    return this.frames.flatMap(({ data }, index) => (silence?.equals(data) ? [index] : []));
  }
  /** Frames that say another time than where they lie. */
  get displaced(): unknown[] {
    return this.frames.filter(({ pts, data }) => !silence?.equals(data) && data.toString() !== `frame ${pts}`);
  }
}

const settle = async (stage: Stage): Promise<void> => {
  const done = stage.sound.settled();
  stage.clock.advance(1_000);
  await done;
};

t.test('what it is made for, and how', async (t) => {
  t.same(planSecondSound(opus), { channels: 2, bitRate: 160_000 });
  t.same(planSecondSound({ ...opus, config: surroundOpusConfig(1) }), { channels: 1, bitRate: 96_000 });
  t.same(planSecondSound({ ...opus, config: surroundOpusConfig(6) }), { channels: 2, bitRate: 160_000 });
  t.same(planSecondSound({ ...opus, config: surroundOpusConfig(1) }, 128_000), { channels: 1, bitRate: 76_800 }, 'a ladder may want another');
  t.equal(planSecondSound({ kind: 'audio', codec: 'aac', config: Buffer.from('1190', 'hex') }), null);
});

t.test('frames lie end to end, parts and segments where the pictures have them, and nothing reaches into the next epoch', async (t) => {
  const stage = new Stage();
  stage.begin(0);
  stage.sendFor(4.9);
  stage.end();
  const until = stage.at;
  await settle(stage);
  t.same(stage.displaced, []);
  t.same(stage.silent, []);
  t.same(stage.frames.map(({ pts }) => pts), Array.from({ length: Math.floor(until / FRAME) }, (_, index) => index * FRAME));
  const ends = stage.written.flatMap(({ cut }) => (cut.type === 'fragment' && cut.segmentEnd ? [cut.dts + cut.duration] : []));
  t.same(ends.map((end) => Math.round(end / 48_000)), [2, 4, 5]);
  t.ok(stage.written.every(({ cut }) => cut.type !== 'hole' && (cut.type === 'segment-end' || cut.duration <= 16 * FRAME)));
});

t.test('an encoder that dies is followed by one that goes on with the next frame', async (t) => {
  const stage = new Stage();
  const random = new Random(11);
  stage.begin(0);
  for (let round = 0; round < 6; round += 1) {
    for (let left = 100 + random.below(100); left > 0; left -= 1) stage.send([120, 240, 480, 960, 1920, 2880][random.below(6)] ?? 960);
    stage.encoders.at(-1)?.over('failed');
    for (let left = 400; left > 0; left -= 1) stage.send(480);
  }
  stage.end();
  await settle(stage);
  t.equal(stage.encoders.length, 7);
  t.equal(stage.sound.state.restarts, 6);
  t.same(stage.displaced, []);
  t.same(stage.silent, [], 'nothing is missing');
  t.ok(stage.frames.every(({ pts }, index) => pts === index * FRAME));
  t.ok(stage.encoders.slice(1).every(({ ask }) => ask.preSkip === 0));
});

t.test('one that hangs is replaced, and what did not come in time is silence', async (t) => {
  const stage = new Stage();
  stage.begin(0);
  stage.sendFor(3);
  for (const encoder of stage.encoders) encoder.mute = true;
  stage.sendFor(7);
  stage.end();
  await settle(stage);
  t.match(stage.troubles, [{ kind: 'hung' }]);
  t.same(stage.displaced, []);
  t.ok(stage.frames.every(({ pts }, index) => pts === index * FRAME), 'end to end');
  const seconds = stage.silent.map((index) => (index * FRAME) / 48_000);
  t.ok(seconds.length > 0 && Math.min(...seconds) >= 2.9 && Math.max(...seconds) < 6.5, `silent from ${seconds[0]} to ${seconds.at(-1)}`);
});

t.test('where nobody encodes it is silent and says so, and goes on when somebody does', async (t) => {
  const stage = new Stage();
  stage.absent = true;
  stage.begin(0);
  await Promise.resolve();
  stage.sendFor(4);
  t.equal(stage.sound.state.silent, true);
  t.ok(stage.frames.length > 80, 'players get parts all the same');
  stage.absent = false;
  stage.sendFor(8);
  t.equal(stage.sound.state.silent, false);
  stage.end();
  await settle(stage);
  t.same(stage.displaced, []);
  t.ok(stage.frames.every(({ pts }, index) => pts === index * FRAME));
  t.notOk(stage.silent.some((index) => index * FRAME > 11 * 48_000));
});

t.test('a source that pauses is no fault of the encoder', async (t) => {
  const stage = new Stage();
  stage.begin(0);
  stage.sendFor(3);
  stage.clock.advance(10_000);
  stage.sendFor(3);
  stage.end();
  await settle(stage);
  t.same(stage.troubles, []);
  t.same(stage.silent, []);
});

t.test('an epoch waits for the one before it, also if that has to be given up', async (t) => {
  for (const muted of [false, true]) {
    const stage = new Stage();
    stage.begin(0);
    stage.sendFor(2.5);
    for (const encoder of stage.encoders) encoder.mute = muted;
    stage.end();
    const border = stage.at;
    stage.begin(1);
    stage.sendFor(1);
    stage.end();
    await settle(stage);
    await settle(stage);
    t.same(stage.epochs, [0, 1]);
    t.same(stage.written.map(({ epoch }) => epoch), stage.written.map(({ epoch }) => epoch).toSorted());
    t.same(stage.displaced, []);
    const [before, behind] = [0, 1].map((epoch) => stage.written.filter((one) => one.epoch === epoch).map(({ cut }) => cut));
    t.ok(before?.every((cut) => cut.type === 'segment-end' || cut.dts + cut.duration <= border), 'nothing reaches into the next one');
    t.match(behind?.[0], { dts: border });
    t.equal(stage.silent.length > 0, muted);
  }
});

t.test('one that is closed in the middle ends where its sound does', async (t) => {
  const stage = new Stage();
  stage.begin(0);
  await Promise.resolve();
  stage.sendFor(3);
  stage.sound.close();
  const ends = stage.written.map(({ cut }) => (cut.type === 'segment-end' ? stage.at : cut.dts + cut.duration));
  t.ok(ends.every((end) => end <= stage.at + FRAME), `up to ${ends.at(-1)}`);
  t.same(stage.frames.map(({ pts }) => pts), Array.from({ length: Math.floor(stage.at / FRAME) }, (_, index) => index * FRAME));
});
