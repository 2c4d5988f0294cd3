import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { encoded, run, scratch } from '../../test/support/encoded.ts';
import { fuzz } from '../../test/support/random.ts';
import { fragment } from '../cmaf/fragment.ts';
import { initSegment } from '../cmaf/init.ts';
import { CodecError } from './codec-error.ts';
import { opusConfigOf, opusSamples, parseOpusConfig, silentOpusPacket, silentOpusSamples } from './opus.ts';

const tone = (...options: string[]): string[] => ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=0.5', '-c:a', 'libopus', ...options];
const layouts: Record<string, { readonly args: string[]; readonly config: object }> = {
  mono: { args: tone('-ac', '1'), config: { channels: 1, preSkip: 312, streams: 1, coupled: 0 } },
  stereo: { args: tone('-ac', '2'), config: { channels: 2, preSkip: 312, streams: 1, coupled: 1 } },
  'six channels': { args: tone('-ac', '6', '-mapping_family', '1'), config: { channels: 6, preSkip: 312, streams: 4, coupled: 2 } },
};
/** Of Ogg: the first packet has a page of its own. */
const headOf = async (args: readonly string[]): Promise<Buffer> => {
  const file = await readFile(await encoded('ogg', args));
  return file.subarray(file.indexOf('OpusHead'), file.indexOf('OggS', 4));
};

t.before(() => mkdir(scratch, { recursive: true }));
t.teardown(() => rm(scratch, { recursive: true, force: true }));

for (const [name, { args, config }] of Object.entries(layouts)) {
  t.test(`the head of Opus, and silence that ffmpeg takes for silence: ${name}`, async (t) => {
    const dOps = opusConfigOf(await headOf(args));
    const parsed = parseOpusConfig(dOps);
    t.same(parsed, config);
    const silent = silentOpusPacket(parsed);
    t.equal(opusSamples(silent), silentOpusSamples);
    const sample = { duration: silentOpusSamples, size: silent.length, key: true, compositionOffset: 0, data: silent };
    const init = initSegment({ kind: 'audio', codec: 'opus', config: dOps, timescale: 48_000, sampleRate: 48_000, channels: parsed.channels });
    const file = join(scratch, `${parsed.channels}.mp4`);
    await writeFile(file, Buffer.concat([init, ...fragment({ sequence: 1, baseDecodeTime: 0, kind: 'audio', samples: Array.from({ length: 50 }, () => sample) })]));
    const pcm = await run(['-i', file, '-f', 's16le', 'pipe:1']);
    t.equal(pcm.length / 2 / parsed.channels, 50 * silentOpusSamples - parsed.preSkip);
    t.ok(pcm.every((byte) => byte === 0), 'nothing is heard');
  });
}

t.test('packets say how long they last', async (t) => {
  // RFC 6716, table 2: SILK of 60 ms, hybrid of 10 and 20, CELT of 2.5 and 20; then two frames, and a number of them.
  const cases: [string, number][] = [['18', 2880], ['60', 480], ['68', 960], ['80', 120], ['f8', 960], ['f9', 1920], ['fb03', 2880], ['83b0', 5760]];
  for (const [packet, samples] of cases) t.equal(opusSamples(Buffer.from(packet, 'hex')), samples, packet);
  for (const wrong of ['', 'fb', 'fb00', 'fb07', '1b03']) t.throws(() => opusSamples(Buffer.from(wrong, 'hex')), { name: 'CodecError' }, wrong);
});

t.test('100,000 damaged heads and 100,000 damaged packets end in facts or in a CodecError', async (t) => {
  const heads = await Promise.all(Object.values(layouts).map(({ args }) => headOf(args)));
  const taken = fuzz((input) => {
    const config = parseOpusConfig(opusConfigOf(input));
    if (silentOpusPacket(config).length > 1024) throw new Error('long');
  }, CodecError, heads);
  t.ok(taken.accepted > 1000 && taken.refused > 1000, `${taken.accepted} accepted, ${taken.refused} refused`);
  const packets = fuzz((input) => {
    const samples = opusSamples(input);
    if (!(samples >= 120 && samples <= 5760)) throw new Error(`${samples} samples`);
  }, CodecError, [Buffer.from('fcfffe', 'hex')]);
  t.ok(packets.accepted > 1000 && packets.refused > 1000, `${packets.accepted} accepted, ${packets.refused} refused`);
});
