/**
 * Subtitles that lie inside an original, taken out of it as WebVTT: those that are text, one of each language. Pictures of
 * text (DVD, Blu-ray, DVB) would have to be read first, and what is forced belongs to the sound of another language.
 */
import type { Container } from '../media/sniff.ts';
import { calm, hostileInput } from './hostile.ts';
import type { Inspection, TextStream } from './inspection.ts';

const textCodecs = ['subrip', 'srt', 'ass', 'ssa', 'webvtt', 'mov_text', 'text'];
/** What else is called subtitles there is not what people's programs write. */
const containers: readonly Container[] = ['matroska', 'mp4'];
const mostTexts = 16;

/** Of several in a language the one that the file has switched on, else its first. */
export const captionsIn = ({ texts }: Inspection, container: Container): TextStream[] => {
  if (!containers.includes(container)) return [];
  const usable = texts.filter(({ codec, isForced }) => textCodecs.includes(codec) && !isForced).toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
  const first = usable.filter(({ language }, at) => usable.findIndex((other) => other.language === language) === at);
  return first.toSorted((a, b) => a.index - b.index).slice(0, mostTexts);
};

/** What ffmpeg writes, beside its input. */
export const captionName = (at: number): string => `captions-${at}.vtt`;

/** On the clock of the pictures that are made of the same file (`stepCommand`). */
export const captionsCommand = (container: Container, texts: readonly TextStream[]): string[] => [
  ...[...calm, '-nostdin', '-nostats'],
  ...(container === 'mp4' ? ['-copyts'] : []),
  ...hostileInput(container),
  ...texts.flatMap(({ index }, at) => ['-map', `0:${index}`, '-map_metadata', '-1', '-c:s', 'webvtt', '-f', 'webvtt', '-y', `file:${captionName(at)}`]),
];
