/**
 * Stored sound into AAC, as the arguments of one ffmpeg: packets come as NUT on its standard input, frames go out as NUT on
 * pipe 3. Pure; every number in it is ours. How many threads work on it is fixed: the same input gives the same bytes.
 */
import type { AudioCodec } from '../../media/unit.ts';
import type { SoundMake } from '../../pipeline/work.ts';
import { calm } from '../hostile.ts';
import { firstPipe } from '../live-command.ts';

export type SoundLeg = {
  readonly codec: AudioCodec;
  /** Of what is decoded, which times are counted by on the way in; on the way out it is the rate of what is made. */
  readonly sampleRate: number;
  /** The first sample that is encoded. What is missing there is silence. */
  readonly from: number;
  /** Samples from there on that are not to be heard: the run-up of an encoder of Opus. */
  readonly preSkip: number;
  readonly make: SoundMake;
};

/** Seconds that times are moved by: NUT has none before zero, and the first frame of AAC is one frame before the first sample. */
export const soundLead = 1;

const decoders: Readonly<Record<AudioCodec, string>> = { aac: 'aac', opus: 'opus,libopus' };
const layouts: Readonly<Record<SoundMake['channels'], string>> = { 1: 'mono', 2: 'stereo', 6: '5.1' };

export const vodSoundCommand = ({ codec, sampleRate, from, preSkip, make }: SoundLeg): string[] => [
  ...[...calm, '-nostdin', '-nostats', '-threads', '1'],
  ...['-f', 'nut', '-format_whitelist', 'nut', '-protocol_whitelist', 'pipe', '-codec_whitelist', decoders[codec], '-max_streams', '1'],
  // Its head says what it is: there is nothing to find out.
  ...['-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0', '-copyts', '-i', 'pipe:0'],
  ...['-filter_threads', '1', '-map', '0:0', '-af', filters(sampleRate, from + soundLead * sampleRate, preSkip, make)],
  ...['-c:a', 'aac', '-b:a', String(make.bitRate), '-ar', String(make.sampleRate), '-ac', String(make.channels), '-threads:a', '1', '-flags:a', '+bitexact'],
  ...['-map_metadata', '-1', '-flush_packets', '1', '-f', 'nut', '-write_index', '0', `pipe:${firstPipe}`],
];

const filters = (rate: number, from: number, preSkip: number, { sampleRate, channels }: SoundMake): string =>
  [
    // Holes, and packets that cannot be decoded, are as much silence as they last: what is behind them stays where it is.
    `aresample=${rate}:async=1:min_hard_comp=0.0005:max_soft_comp=0:first_pts=${from}`,
    `atrim=start_pts=${from}`,
    ...(preSkip > 0 ? [`afade=type=in:start_sample=${from}:nb_samples=${preSkip}:curve=exp`] : []),
    ...(sampleRate === rate ? [] : [`aresample=${sampleRate}`]),
    `aformat=sample_fmts=fltp:channel_layouts=${layouts[channels]}`,
  ].join(',');
