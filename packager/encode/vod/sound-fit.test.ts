import t from 'tap';
import { BitWriter } from '../../media/bits.ts';
import { surroundOpusConfig } from '../../media/opus.ts';
import { MemoryLog } from '../../log/memory-log.ts';
import { fits, soundMake, storedSound, type StoredSound } from './sound-fit.ts';

const aac = (hex: string): StoredSound['configs'][number] => ({ codec: 'aac', config: Buffer.from(hex, 'hex') });
const opus = (channels: number): StoredSound['configs'][number] => ({ codec: 'opus', config: surroundOpusConfig(channels) });
const [mono, stereo, around, slow] = ['1188', '1190', '11b0', '1210'].map(aac);
/** LC in a frame of 960; HE-AAC of 24 kHz, told in front; Main; a program config element of two fronts and two backs. */
const [short, high, main] = ['1194', '2b11880800', '0990'].map(aac);
/** AAC-LC of 48 kHz, channelConfiguration 0, then the element: a pair in front and one behind. */
const corners = new BitWriter().bits(2, 5).bits(3, 4).bits(0, 4 + 3).bits(0, 4).bits(1, 2).bits(3, 4).bits(1, 4).bits(0, 4).bits(1, 4).bits(0, 2 + 3 + 4 + 3).bits(1, 1).bits(0, 4).bits(1, 1).bits(1, 4);
const quad = aac(Buffer.concat([corners.bytes(), Buffer.alloc(1)]).toString('hex'));

const table: readonly (readonly [what: string, configs: readonly (StoredSound['configs'][number] | undefined)[], average: number, becomes: string])[] = [
  ['stereo', [stereo], 128_000, 'stays'],
  ['stereo as good as it gets', [stereo], 262_000, 'stays'],
  ['stereo of more than anybody hears', [stereo], 320_000, '2 at 48000, 128000'],
  ['the same of 44.1 kHz', [slow], 320_000, '2 at 44100, 128000'],
  ['mono', [mono], 64_000, 'stays'],
  ['mono of more than anybody hears', [mono], 300_000, '1 at 48000, 96000'],
  ['six channels', [around], 384_000, 'stays'],
  ['six channels of far too much', [around], 1_500_000, '6 at 48000, 384000'],
  ['frames of 960', [short], 128_000, '2 at 48000, 128000'],
  ['HE-AAC', [high], 64_000, '2 at 48000, 128000'],
  ['Main', [main], 64_000, '2 at 48000, 128000'],
  ['four corners', [quad], 128_000, '2 at 48000, 128000'],
  ['Opus', [opus(2)], 96_000, '2 at 48000, 128000'],
  ['Opus of one channel', [opus(1)], 96_000, '1 at 48000, 96000'],
  ['Opus around the listener', [opus(6)], 96_000, '6 at 48000, 384000'],
  ['two epochs that both fit', [stereo, mono], 128_000, 'stays'],
  ['two of which one does not', [mono, slow, opus(2)], 128_000, '2 at 48000, 128000'],
];

t.test('what is shared as it is, and what is made of the other', (t) => {
  for (const [what, configs, average, becomes] of table) {
    const stored = { configs: configs.flatMap((one) => one ?? []), average };
    const make = soundMake(stored);
    t.equal(make === null ? 'stays' : `${make.channels} at ${make.sampleRate}, ${make.bitRate}`, becomes, what);
    t.equal(fits(stored), make === null, what);
  }
  t.end();
});

t.test('a log of nothing but holes holds no sound', async (t) => {
  const log = new MemoryLog();
  t.equal(storedSound(log.snapshot()), null);
  await log.beginEpoch({ epoch: 0, timescale: 48_000, wallClock: 0, start: 0, reorderDelay: 0, codecString: 'mp4a.40.2', run: 'r', init: Buffer.alloc(0) });
  await log.append({ dts: 0, firstPts: 0, duration: 48_000, key: true, segmentStart: true, gap: true }, []);
  t.equal(storedSound(log.snapshot()), null);
});
