import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { decodeErrors, encodedFlv, run, scratch } from '../../test/support/encoded.ts';
import { fuzz } from '../../test/support/random.ts';
import { fragment } from '../cmaf/fragment.ts';
import { initSegment } from '../cmaf/init.ts';
import { aacCodecString, parseAudioSpecificConfig, silentAacFrame } from './aac.ts';
import { BitWriter } from './bits.ts';
import { CodecError } from './codec-error.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
/** [value, width] pairs. */
const bits = (...fields: readonly (readonly [number, number])[]): Buffer => {
  const out = new BitWriter();
  for (const [value, width] of fields) out.bits(value, width);
  return out.bytes();
};

const lc = { objectType: 2, frameLength: 1024, sbr: false, ps: false };

t.test('plain configurations of AAC-LC', async (t) => {
  t.same(parseAudioSpecificConfig(hex('1190')), { ...lc, sampleRate: 48_000, channels: 2, channelConfiguration: 2, outputSampleRate: 48_000 });
  t.match(parseAudioSpecificConfig(hex('1208')), { ...lc, sampleRate: 44_100, channels: 1 });
  t.match(parseAudioSpecificConfig(hex('11b0')), { ...lc, sampleRate: 48_000, channels: 6 });
  t.match(parseAudioSpecificConfig(hex('11b8')), { channels: 8, channelConfiguration: 7 });
  t.match(parseAudioSpecificConfig(hex('1194')), { frameLength: 960 });
  t.equal(aacCodecString(parseAudioSpecificConfig(hex('1190'))), 'mp4a.40.2');
  t.equal(aacCodecString(parseAudioSpecificConfig(hex('0990'))), 'mp4a.40.1');
});

t.test('a rate that has no index of its own', async (t) => {
  const config = bits([2, 5], [15, 4], [47_952, 24], [2, 4], [0, 3]);
  t.match(parseAudioSpecificConfig(config), { sampleRate: 47_952, channels: 2 });
});

t.test('HE-AAC, signalled in front: the track counts in the rate of the core', async (t) => {
  const he = parseAudioSpecificConfig(bits([5, 5], [6, 4], [2, 4], [3, 4], [2, 5], [0, 3]));
  t.match(he, { objectType: 2, sbr: true, ps: false, sampleRate: 24_000, outputSampleRate: 48_000, channels: 2 });
  t.equal(aacCodecString(he), 'mp4a.40.5');
  const v2 = parseAudioSpecificConfig(bits([29, 5], [7, 4], [1, 4], [4, 4], [2, 5], [0, 3]));
  t.match(v2, { sbr: true, ps: true, sampleRate: 22_050, outputSampleRate: 44_100, channels: 2, channelConfiguration: 1 });
  t.equal(aacCodecString(v2), 'mp4a.40.29');
});

t.test('HE-AAC, signalled behind the core, where old decoders do not look', async (t) => {
  const he = parseAudioSpecificConfig(bits([2, 5], [6, 4], [2, 4], [0, 3], [0x2b7, 11], [5, 5], [1, 1], [3, 4]));
  t.match(he, { sbr: true, ps: false, sampleRate: 24_000, outputSampleRate: 48_000 });
  t.equal(aacCodecString(he), 'mp4a.40.5');
  const v2 = parseAudioSpecificConfig(bits([2, 5], [6, 4], [1, 4], [0, 3], [0x2b7, 11], [5, 5], [1, 1], [3, 4], [0x548, 11], [1, 1]));
  t.match(v2, { sbr: true, ps: true, channels: 2 });
  t.equal(aacCodecString(v2), 'mp4a.40.29');
  // What ffmpeg writes behind AAC-LC: "there is no SBR".
  const none = parseAudioSpecificConfig(hex('119056e500'));
  t.match(none, { sbr: false, outputSampleRate: 48_000 });
});

t.test('a program config element is read for its channels', async (t) => {
  const program = [[0, 4], [1, 2], [3, 4], [2, 4], [0, 4], [1, 4], [1, 2], [0, 3], [0, 4], [0, 3]] as const; // prettier-ignore
  const elements = [[0, 1], [0, 4], [1, 1], [0, 4], [1, 1], [1, 4], [0, 4]] as const; // one, a pair, a pair, an LFE
  const config = bits([2, 5], [3, 4], [0, 4], [0, 3], ...program, ...elements, [0, 3], [2, 8], [0xffff, 16], [0x2b7, 11], [5, 5], [1, 1], [0, 4]);
  const facts = { channels: 6, channelConfiguration: 0, sbr: true, outputSampleRate: 96_000 };
  t.match(parseAudioSpecificConfig(config), facts, 'and what stands behind it is found');
  t.equal(silentAacFrame(parseAudioSpecificConfig(config)), null);
  t.throws(() => parseAudioSpecificConfig(config.subarray(0, 9)), { code: 'truncated' });
});

t.test('what is wrong with a configuration is said in a code', async (t) => {
  const cases: [string, Buffer, string][] = [
    ['empty', Buffer.alloc(0), 'truncated'],
    ['one byte', hex('11'), 'truncated'],
    ['reserved rate', bits([2, 5], [13, 4], [2, 4], [0, 3]), 'invalid'],
    ['a rate of 0', bits([2, 5], [15, 4], [0, 24], [2, 4], [0, 3]), 'invalid'],
    ['reserved channels', bits([2, 5], [3, 4], [9, 4], [0, 3]), 'invalid'],
    ['ELD', bits([31, 5], [7, 6], [3, 4], [2, 4], [0, 8]), 'unsupported'],
    ['xHE-AAC', bits([31, 5], [10, 6], [3, 4], [2, 4], [0, 8]), 'unsupported'],
    ['object type 0', bits([0, 5], [3, 4], [2, 4], [0, 3]), 'unsupported'],
    ['parametric stereo over stereo', bits([29, 5], [6, 4], [2, 4], [3, 4], [2, 5], [0, 3]), 'invalid'],
    ['larger than anything real', Buffer.alloc(600, 0x11), 'limit'],
  ];
  for (const [name, config, code] of cases) {
    t.throws(() => parseAudioSpecificConfig(config), { name: 'CodecError', code }, name);
  }
});

t.test('the sequence headers that ffmpeg sends', async (t) => {
  for (const [rate, channels] of [[48_000, 2], [44_100, 1], [48_000, 6]] as const) {
    const { aacConfig, units } = await encodedFlv(['-f', 'lavfi', '-i', `sine=440:duration=0.5:sample_rate=${rate}`, '-ac', `${channels}`, '-c:a', 'aac']); // prettier-ignore
    t.match(parseAudioSpecificConfig(aacConfig ?? Buffer.alloc(0)), { ...lc, sampleRate: rate, channels });
    t.ok(units.length > 20);
  }
});

t.test('ffmpeg decodes silent frames without one error, and hears nothing', async (t) => {
  await mkdir(scratch, { recursive: true });
  t.teardown(() => rm(scratch, { recursive: true }));
  const configs: Record<string, Buffer> = {
    mono: hex('1188'),
    stereo: hex('1190'),
    'stereo at 44.1 kHz': hex('1210'),
    '5.1': hex('11b0'),
    '7.1': hex('11b8'),
    'HE-AAC v2': bits([29, 5], [7, 4], [1, 4], [4, 4], [2, 5], [0, 3]),
    'HE-AAC': bits([5, 5], [6, 4], [2, 4], [3, 4], [2, 5], [0, 3]),
  };
  for (const [name, config] of Object.entries(configs)) {
    const facts = parseAudioSpecificConfig(config);
    const data = silentAacFrame(facts);
    if (!data) throw new Error(`no silence for ${name}`);
    const { sampleRate, channels } = facts;
    const sample = { duration: 1024, size: data.length, key: true, compositionOffset: 0, data };
    const path = join(scratch, `silence-${name}.mp4`);
    const init = initSegment({ kind: 'audio', codec: 'aac', config, timescale: sampleRate, sampleRate, channels });
    const samples = Array.from({ length: 50 }, () => sample);
    await writeFile(path, [init, ...fragment({ sequence: 1, baseDecodeTime: 0, kind: 'audio', samples })]);
    t.equal(await decodeErrors(['-xerror', '-i', path]), '', `${name}: no error`);
    const pcm = await run(['-i', path, '-f', 's16le', '-']);
    t.ok(pcm.length >= 50 * 1024 * channels * 2, `${name}: ${pcm.length} bytes`);
    t.ok(pcm.every((byte) => byte === 0), `${name}: all zero`);
  }
});

t.test('where no silence is known there is none', async (t) => {
  t.equal(silentAacFrame(parseAudioSpecificConfig(hex('0990'))), null, 'AAC Main');
});

t.test('100,000 damaged configurations end in facts or in a CodecError', async (t) => {
  const program = bits([2, 5], [3, 4], [0, 4], [0, 3], [0, 10], [2, 4], [0, 4], [1, 4], [1, 2], [0, 10], [0x84210, 20], [0, 40]);
  const valid = [hex('1190'), hex('119056e500'), hex('2b118a00'), hex('eb8a0800'), program, hex('139056e5a548e0')];
  const { accepted, refused } = fuzz(
    (input) => {
      const config = parseAudioSpecificConfig(input);
      if (!(config.channels >= 1 && config.channels <= 8 && config.sampleRate >= 4000)) throw new Error(JSON.stringify(config));
      aacCodecString(config);
      silentAacFrame(config);
    },
    CodecError,
    valid,
    { longest: 40 },
  );
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});
