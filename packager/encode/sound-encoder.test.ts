/** AAC out of Opus by the real ffmpeg: in step to the sample, whatever the packets are like, and an end that is a value. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { heard, mixedOpus, offsetBetween, opusConfig, opusOf, packetLengths, type SoundPacket } from '../../test/support/opus-packets.ts';
import { Random } from '../../test/support/random.ts';
import { systemClock } from '../clock.ts';
import { secondConfig } from '../live/second-sound.ts';
import { opusSamples, parseOpusConfig, silentOpusPacket } from '../media/opus.ts';
import { findPrograms } from './programs.ts';
import { makeJobPlace, Sandbox } from './sandbox.ts';
import { aacFrame } from './sound-command.ts';
import { SoundEncoder, type SoundEncoderOptions } from './sound-encoder.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-sound-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'live'));

/** What comes out of these packets, from a time on. */
const encode = async (packets: readonly SoundPacket[], more: Partial<SoundEncoderOptions> = {}): Promise<{ frames: SoundPacket[]; how: string }> => {
  const frames: SoundPacket[] = [];
  const packetsFrom = packets[0]?.pts ?? 0;
  const encoder = new SoundEncoder({
    ...{ sandbox, place, config: opusConfig().config, channels: 2, bitRate: 160_000, packetsFrom, from: packetsFrom, preSkip: 0 },
    frame: (pts, data) => frames.push({ pts, samples: aacFrame, data }),
    ...more,
  });
  for (const { pts, data } of packets) if (!encoder.feed(pts, data)) throw new Error('a packet was not taken');
  encoder.end();
  const { how, words } = await encoder.ended;
  if (words !== '') throw new Error(words);
  return { frames, how };
};

/** One frame after the other, the first one frame ahead of `from`: its samples are the encoder's run-up. */
const liesEndToEnd = (t: Test, frames: readonly SoundPacket[], from = 0): void => {
  t.same(frames.filter(({ pts }, index) => pts !== from + (index - 1) * aacFrame), []);
};

/** From a time on, which the frames have: samples between the two, at places that are a third of a second apart. */
const isInStep = async (t: Test, packets: readonly SoundPacket[], frames: readonly SoundPacket[], { channels = 2, from = 0, about = 0 } = {}): Promise<void> => {
  const sent = (await heard(opusConfig(channels), packets, channels)).subarray(from - (packets[0]?.pts ?? 0));
  const made = await heard(secondConfig({ channels: channels === 1 ? 1 : 2 }), frames.filter(({ pts }) => pts >= from), channels === 1 ? 1 : 2);
  for (let at = 8_000; at + 8_000 < Math.min(sent.length, made.length); at += 16_000) {
    if (Math.abs(at - about) < 8_000 && about > 0) continue;
    const { offset, alike } = offsetBetween(sent, made, at);
    t.ok(Math.abs(offset) <= 1 && alike > 0.95, `at ${at}: ${offset} samples apart, ${alike.toFixed(4)} alike`);
  }
};

for (const seed of [1, 2]) {
  t.test(`packets of ${packetLengths.join(', ')} ms as they like: the AAC is in step (seed ${seed})`, async (t) => {
    const random = new Random(seed);
    const packets = (await mixedOpus((count) => random.below(Math.max(1, count)))).slice(0, 150);
    t.ok(new Set(packets.map(({ samples }) => samples)).size >= 5);
    const { frames, how } = await encode(packets);
    t.equal(how, 'drained');
    liesEndToEnd(t, frames);
    await isInStep(t, packets, frames);
  });
}

t.test('mono stays mono, and 5.1 becomes stereo', async (t) => {
  for (const channels of [1, 6]) {
    const packets = (await opusOf(20, channels)).slice(0, 60);
    const { frames } = await encode(packets, { config: opusConfig(channels).config, channels: channels === 1 ? 1 : 2 });
    liesEndToEnd(t, frames);
    await isInStep(t, packets, frames, { channels });
  }
});

t.test('begun in the middle, it is in step from the frame on that is wanted', async (t) => {
  const packets = await opusOf(20);
  const from = 100 * aacFrame;
  const given = packets.filter(({ pts, samples }) => pts + samples > from - 9_600);
  const { frames } = await encode(given, { from: from - 2 * aacFrame });
  liesEndToEnd(t, frames, from - 2 * aacFrame);
  await isInStep(t, packets, frames, { from });
});

t.test('packets of nothing but their head, damaged ones, and silence move nothing that is behind them', async (t) => {
  const random = new Random(5);
  const packets = (await opusOf(20)).slice(0, 200);
  const silent = silentOpusPacket(parseOpusConfig(opusConfig().config));
  const spoilt = packets.map((packet, index) => {
    if (index < 60 || index > 75) return packet;
    const kinds = [packet.data.subarray(0, 1), silent, Buffer.concat([packet.data.subarray(0, 1), random.bytes(40)])];
    const data = kinds[index % kinds.length] ?? silent;
    return opusSamples(data) === packet.samples ? { ...packet, data } : packet;
  });
  const { frames } = await encode(spoilt);
  liesEndToEnd(t, frames);
  const behind = 90 * 960;
  await isInStep(t, packets, frames, { from: Math.ceil(behind / aacFrame) * aacFrame });
});

t.test('what an encoder of Opus needs to come to itself is not heard', async (t) => {
  const packets = (await opusOf(20)).slice(0, 40);
  const preSkip = 3_840;
  const { frames } = await encode(packets, { preSkip });
  liesEndToEnd(t, frames);
  const loudness = (samples: Float32Array): number => Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
  const made = await heard(secondConfig({ channels: 2 }), frames.slice(1));
  const plain = await heard(secondConfig({ channels: 2 }), (await encode(packets)).frames.slice(1));
  t.ok(loudness(made.subarray(0, preSkip / 2)) < loudness(plain.subarray(0, preSkip / 2)) / 10, 'quieter at first');
  t.ok(loudness(made.subarray(preSkip, 2 * preSkip)) > loudness(plain.subarray(preSkip, 2 * preSkip)) * 0.9, 'and not behind that');
});

t.test('killed, it ends as that; and so it does when it is fed what nobody understands', async (t) => {
  const encoder = new SoundEncoder({ sandbox, place, config: opusConfig().config, channels: 2, bitRate: 160_000, packetsFrom: 0, from: 0, preSkip: 0, frame: () => undefined });
  encoder.kill();
  t.match(await encoder.ended, { how: 'killed' });
  t.notOk(encoder.feed(0, Buffer.from('fcfffe', 'hex')), 'nothing is taken any more');
});
