/** A step as the arguments of ffmpeg. Pure; every number and every name in it is ours. */
import type { Container } from '../media/sniff.ts';
import { calm, hostileInput } from './hostile.ts';
import type { PictureWork, SoundWork, Step } from './plan.ts';

/** What ffmpeg writes, beside its input. */
export const madeName = 'made.mp4';
/**
 * Seconds between key frames where the source does not say where they lie: two, and no number that pictures stand at, so
 * that every rung decides alike however its times are rounded.
 */
const keySeconds = 1.99937;

export type CommandFacts = {
  readonly container: Container;
  readonly step: Step;
  readonly threads: number;
  /** For files that are not quite what they should be: pictures that cannot be placed are left out, no sound is taken over. */
  readonly lenient: boolean;
};

export const stepCommand = ({ container, step: { picture, sounds }, threads, lenient }: CommandFacts): string[] => [
  ...calm,
  ...['-nostdin', '-nostats', '-progress', 'pipe:1', '-stats_period', '0.5'],
  // The edit list of an MP4 says where its beginning is; elsewhere it is the first thing that is in the file.
  ...(container === 'mp4' ? ['-copyts'] : []),
  ...['-threads', String(threads)],
  ...hostileInput(container),
  ...['-map_metadata', '-1', '-map_chapters', '-1', '-sn', '-dn', '-max_muxing_queue_size', '4096'],
  ...(picture ? ['-map', `0:${picture.stream}`, ...pictureArguments(picture, threads, lenient)] : []),
  ...sounds.flatMap((sound, index) => ['-map', `0:${sound.stream}`, ...soundArguments(sound, index, lenient)]),
  // Edit lists are counted in it: in the usual milliseconds, picture and sound would be rounded apart.
  ...['-f', 'mp4', '-movie_timescale', '90000', '-y', `file:${madeName}`],
];

const pictureArguments = (picture: PictureWork, threads: number, lenient: boolean): string[] => {
  if (picture.how === 'copy') return ['-c:v', 'copy'];
  const { crf, maxRate, timescale, keys } = picture;
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-pix_fmt', 'yuv420p', '-threads:v', String(threads)],
    ...['-crf', String(crf), '-maxrate', String(maxRate), '-bufsize', String(2 * maxRate)],
    // Closed GOPs, and key frames where they are asked for and nowhere else.
    ...['-g', '1000000', '-sc_threshold', '0', '-flags', '+cgop', '-forced-idr', '1'],
    ...['-force_key_frames', keys === 'source' ? 'source' : `expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+${keySeconds}))`],
    // Every picture once, at its own moment.
    ...['-fps_mode', lenient ? 'vfr' : 'passthrough', '-enc_time_base', `1/${timescale}`, '-video_track_timescale', String(timescale)],
    ...['-filter:v', filtersOf(picture)],
  ];
};

const filtersOf = ({ width, height, deinterlace, toneMap }: Extract<PictureWork, { how: 'encode' }>): string =>
  [
    ...(deinterlace ? ['bwdif=mode=send_frame:parity=auto:deint=interlaced'] : []),
    `scale=${width}:${height}:flags=bicubic`,
    'setsar=1',
    ...(toneMap
      ? [`zscale=tin=${toneMap}:min=bt2020nc:pin=bt2020:rin=tv:t=linear:npl=100`, 'format=gbrpf32le', 'zscale=p=bt709', 'tonemap=hable:desat=0', 'zscale=t=bt709:m=bt709:r=tv', 'format=yuv420p']
      : []),
  ].join(',');

const soundArguments = ({ copy, channels, sampleRate, bitRate }: SoundWork, index: number, lenient: boolean): string[] => {
  if (copy && !lenient) return [`-c:a:${index}`, 'copy'];
  return [
    ...[`-c:a:${index}`, 'aac', `-b:a:${index}`, String(bitRate), `-ac:a:${index}`, String(channels), `-ar:a:${index}`, String(sampleRate)],
    // Holes are filled with silence: frames of AAC have no other way to be late.
    ...[`-filter:a:${index}`, 'aresample=async=1'],
  ];
};
