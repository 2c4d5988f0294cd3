/** Chapters of a video: in order, none over another, within what there is. Kept on the clock of its media, told on that of playback. Pure. */
import type { FoundChapter } from '../../packager/encode/chapters.ts';
import { clock } from '../../packager/pictures/storyboard.ts';
import type { VideoRow } from '../catalog/videos.ts';
import type { Chapter } from './kept.ts';

export const mostChapters = 1000;
export const longestChapterTitle = 200;

type Cut = Pick<VideoRow, 'durationMs' | 'cutInMs' | 'cutOutMs'>;

/** As far as they are shown. */
export const shownChapters = ({ chapters, durationMs, cutInMs, cutOutMs }: Cut & Pick<VideoRow, 'chapters'>): Chapter[] => {
  const [from, to] = [cutInMs ?? 0, Math.min(cutOutMs ?? Infinity, durationMs ?? Infinity)];
  return (chapters ?? []).flatMap(({ startMs, endMs, title }) => {
    const [start, end] = [Math.max(startMs, from), Math.min(endMs, to)];
    return start < end ? [{ startMs: start - from, endMs: end - from, title }] : [];
  });
};

type Wished = { readonly startMs: number; /** Null: until the next one. */ readonly endMs: number | null; readonly title: string };

/** What its owner says in place of what is shown, on the clock of playback; what lies in what is cut away stays. A sentence: why not. */
export const chaptersOf = (wished: readonly Wished[], { chapters: before, durationMs, cutInMs, cutOutMs }: Cut & Pick<VideoRow, 'chapters'>): readonly Chapter[] | { readonly index: number; readonly detail: string } => {
  if (durationMs === null) return { index: 0, detail: 'cannot be placed: nobody knows yet how long the video is.' };
  const from = cutInMs ?? 0;
  const length = Math.max(0, Math.min(cutOutMs ?? durationMs, durationMs) - from);
  const chapters: Chapter[] = [];
  for (const [index, { startMs, endMs: said, title }] of wished.entries()) {
    const next = wished[index + 1];
    // What is rounded by whoever sends it may lie a little behind the end.
    const endMs = Math.min(said ?? next?.startMs ?? length, length);
    if (startMs >= length) return { index, detail: `begins behind the end: the video is ${length / 1000} s long.` };
    if (startMs < (chapters.at(-1)?.endMs ?? from) - from) return { index, detail: 'begins before the one ahead of it ends.' };
    if (endMs <= startMs) return { index, detail: 'ends before it begins.' };
    chapters.push({ startMs: startMs + from, endMs: endMs + from, title: title.trim() });
  }
  const all = withHidden(chapters, before ?? [], from, from + length);
  if (all.length <= mostChapters) return all;
  return { index: Math.max(0, wished.length - 1), detail: `is one too many: with those in what is cut away there are more than ${mostChapters}.` };
};

/** Those `before`, as far as they lie outside of what is shown, round those that are shown from now on. */
const withHidden = (shown: readonly Chapter[], before: readonly Chapter[], from: number, to: number): Chapter[] => {
  const ahead = before.filter(({ startMs }) => startMs < from).map((chapter) => ({ ...chapter, endMs: Math.min(chapter.endMs, from) }));
  const behind = before.filter(({ endMs }) => endMs > to).map((chapter) => ({ ...chapter, startMs: Math.max(chapter.startMs, to) }));
  const isCutAt = (at: number): boolean => before.some(({ startMs, endMs }) => startMs < at && at < endMs);
  const all: Chapter[] = [];
  for (const chapter of [...ahead, ...shown, ...behind]) {
    const last = all.at(-1);
    // One that the cut divides, and that has kept its title, is one again when the cut is taken back.
    const isSame = last?.endMs === chapter.startMs && last.title === chapter.title && (chapter.startMs === from || chapter.startMs === to) && isCutAt(chapter.startMs);
    if (last && isSame) all[all.length - 1] = { ...last, endMs: chapter.endMs };
    else all.push(chapter);
  }
  return all;
};

/** What stands in a file, which may be anything: what makes no sense is left out, what overlaps is cut short. */
export const saneChapters = (found: readonly FoundChapter[], durationMs: number | null): Chapter[] => {
  const end = durationMs ?? Infinity;
  const usable = found.filter(({ startMs }) => Number.isFinite(startMs) && startMs >= 0 && startMs < end).toSorted((a, b) => a.startMs - b.startMs);
  const chapters: Chapter[] = [];
  for (const [index, { startMs, endMs, title }] of usable.entries()) {
    const next = usable[index + 1]?.startMs ?? end;
    const to = Math.min(endMs > startMs ? endMs : next, next, end);
    if (!Number.isFinite(to) || to <= startMs) continue;
    chapters.push({ startMs, endMs: to, title: title ?? String(chapters.length + 1) });
    if (chapters.length >= mostChapters) break;
  }
  return chapters;
};

/** `&` and `<` begin what is not text in a cue, and an arrow would be a time. */
const cueText = (title: string): string => title.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const chaptersVtt = (chapters: readonly Chapter[]): string =>
  `WEBVTT\n\n${chapters.map(({ startMs, endMs, title }) => `${clock(startMs)} --> ${clock(endMs)}\n${cueText(title)}\n`).join('\n')}`;
