/**
 * The sound of a live stream in AAC, as the arguments of one ffmpeg: packets of Opus come as NUT on its standard input,
 * frames of AAC go out as NUT on pipe 3. Pure; every number in it is ours. All times are samples of 48 kHz.
 */
import { opusRate } from '../media/opus.ts';
import { calm } from './hostile.ts';
import { firstPipe } from './live-command.ts';

export type SoundSpan = {
  /** Of what is made; more channels than that are mixed down. */
  readonly channels: 1 | 2;
  readonly bitRate: number;
  /** When the first packet that comes begins: what is missing from there on is silence. */
  readonly packetsFrom: number;
  /**
   * The first sample that the encoder is to have: of the frames that come out each is at this time and a whole number of
   * frames. What comes before it is decoded for the decoder's sake.
   */
  readonly from: number;
  /** Samples from `from` on that are not to be heard: the run-up of an encoder of Opus. */
  readonly preSkip: number;
};

/** NUT has no time before zero, and the first frame of AAC is one frame before the first sample. */
export const soundOffset = opusRate;
export const aacFrame = 1024;

export const soundCommand = ({ channels, bitRate, packetsFrom, from, preSkip }: SoundSpan): string[] => [
  ...[...calm, '-nostdin', '-nostats', '-threads', '1'],
  ...['-f', 'nut', '-format_whitelist', 'nut', '-protocol_whitelist', 'pipe', '-codec_whitelist', 'opus,libopus', '-max_streams', '1'],
  // Its head says what it is: there is nothing to find out.
  ...['-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0', '-copyts', '-i', 'pipe:0'],
  ...['-filter_threads', '1', '-map', '0:0', '-af', filters(channels, packetsFrom + soundOffset, from + soundOffset, preSkip)],
  ...['-c:a', 'aac', '-b:a', String(bitRate), '-ar', String(opusRate), '-ac', String(channels), '-threads:a', '1'],
  ...['-map_metadata', '-1', '-flush_packets', '1', '-f', 'nut', '-write_index', '0', `pipe:${firstPipe}`],
];

const filters = (channels: 1 | 2, packetsFrom: number, from: number, preSkip: number): string =>
  [
    // A packet that cannot be decoded is as much silence as it should have been: what is behind it stays where it is.
    `aresample=${opusRate}:async=1:min_hard_comp=0.001:max_soft_comp=0:first_pts=${packetsFrom}`,
    `atrim=start_pts=${from}`,
    ...(preSkip > 0 ? [`afade=type=in:start_sample=${from}:nb_samples=${preSkip}:curve=exp`] : []),
    `aformat=sample_fmts=fltp:channel_layouts=${channels === 1 ? 'mono' : 'stereo'}`,
  ].join(',');
