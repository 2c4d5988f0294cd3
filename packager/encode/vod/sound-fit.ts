/** Whether a track of sound is shared by all rungs as it is, or what is made of it instead. */
import { readInit } from '../../cmaf/reader.ts';
import type { LogSnapshot } from '../../log/types.ts';
import { parseAudioSpecificConfig } from '../../media/aac.ts';
import { parseOpusConfig, opusRate } from '../../media/opus.ts';
import type { AudioConfig } from '../../media/unit.ts';
import type { SoundMake } from '../../pipeline/work.ts';
import { saneLayouts, soundShape } from '../plan.ts';

/** Sound as it is stored; of several epochs, in each. */
export type StoredSound = {
  readonly configs: readonly Pick<AudioConfig, 'codec' | 'config'>[];
  /** Bits a second on average. */
  readonly average: number;
};

/** What fewer bits would do for, for one and two channels; a sound around the listener may have as much a channel. */
const mostBits = 256_000;
/** Fragments have heads, and encoders are not exact. */
const tolerance = 1.05;

/** channelConfiguration (ISO 14496-3, table 1.19) in ffmpeg's words; 0, by an element of its own, has none. */
const layouts: Readonly<Record<number, string>> = { 1: 'mono', 2: 'stereo', 3: '3.0', 4: '4.0', 5: '5.0', 6: '5.1', 7: '7.1', 11: '6.1', 12: '7.1', 14: '7.1' };

type Laid = { readonly channels: number; readonly layout: string; readonly sampleRate: number; readonly plain: boolean };

const laidOut = ({ codec, config }: StoredSound['configs'][number]): Laid => {
  if (codec === 'opus') {
    const { channels } = parseOpusConfig(config);
    return { channels, layout: channels >= 6 ? '5.1' : '', sampleRate: opusRate, plain: false };
  }
  const { objectType, sbr, ps, channels, channelConfiguration, outputSampleRate, frameLength } = parseAudioSpecificConfig(config);
  const layout = layouts[channelConfiguration] ?? (channels >= 6 ? '5.1' : '');
  const isSane = channelConfiguration !== 0 && saneLayouts.includes(layout);
  return { channels, layout, sampleRate: outputSampleRate, plain: objectType === 2 && !sbr && !ps && frameLength === 1024 && isSane };
};

/** AAC that is LC, with a sane layout, and no more bits than anybody hears. Throws CodecError. */
export const fits = ({ configs, average }: StoredSound): boolean => {
  const all = configs.map(laidOut);
  return all.every(({ plain, channels }) => plain && average <= tolerance * Math.max(mostBits, (channels * mostBits) / 2));
};

/** Null: it fits. A track of several epochs becomes the same in all of them: as rich as its richest. Throws CodecError. */
export const soundMake = (sound: StoredSound): SoundMake | null => {
  if (fits(sound)) return null;
  const shapes = sound.configs.map((config) => soundShape(laidOut(config)));
  return shapes.reduce((rich, shape) => (shape.channels > rich.channels || (shape.channels === rich.channels && shape.sampleRate > rich.sampleRate) ? shape : rich));
};

/** What a log of sound holds; null: nothing but holes. Throws CmafError, CodecError. */
export const storedSound = ({ first, end, entry, epochs }: LogSnapshot): StoredSound | null => {
  let [bytes, seconds] = [0, 0];
  const timescales = new Map(epochs.map(({ epoch, timescale }) => [epoch, timescale]));
  for (let seq = first; seq < end; seq += 1) {
    const { gap, size, duration, epoch } = entry(seq);
    if (gap) continue;
    bytes += size;
    seconds += duration / (timescales.get(epoch) ?? 1);
  }
  const configs = epochs.flatMap(({ init }) => {
    const facts = init.length > 0 ? readInit(init) : null;
    return facts?.kind === 'audio' ? [{ codec: facts.codec, config: facts.config }] : [];
  });
  return seconds > 0 && configs.length > 0 ? { configs, average: (8 * bytes) / seconds } : null;
};
