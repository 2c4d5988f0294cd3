/** Chapters as they are typed: one a line, `0:00 Opening`. Pure. */
import type { Chapter, Video } from '../api/types.ts';
import { readTime, typedTime } from './time-param.ts';

/** What is wrong with a line. */
export type ChapterFault = 'time' | 'title' | 'order' | 'beyond' | 'long' | 'many';
export type LineFault = { /** From 1. */ readonly line: number; readonly fault: ChapterFault };
export type ReadChapters = { readonly chapters: readonly Chapter[]; readonly faults: readonly LineFault[] };

export const mostChapters = 1000;
export const longestTitle = 200;

/** A time first, then the title; what people put between the two is left out. */
const line = /^(\d[\d:.]*)(?:\s*[-–—]\s+|\s+|$)(.*)$/;

/** `until`: where it ends, if the next one does not begin before. */
type Begun = { readonly start: number; readonly title: string; readonly until: number };

const lineOf = ({ start, title }: Pick<Chapter, 'start' | 'title'>): string => `${typedTime(start)} ${title.replaceAll(/\s+/g, ' ').trim()}`;

export const chapterLines = (chapters: readonly Chapter[]): string => chapters.map(lineOf).join('\n');

const canonical = (text: string): string => text.normalize('NFC').trim();

/** Less than a line can say is no room between two chapters. */
const leastGap = 0.1;

/** What a line stands for that was left as it was: it has tenths and no end, and the chapter may have more. */
const untouched = (known: readonly Chapter[], duration: number | null): ((line: string) => Begun | undefined) => {
  const lines = new Map<string, Begun[]>();
  for (const [at, { start, end, title }] of known.entries()) {
    const next = known[at + 1]?.start ?? duration ?? end;
    const key = canonical(lineOf({ start, title }));
    // Some milliseconds apart two may be one line.
    lines.set(key, [...(lines.get(key) ?? []), { start, title, until: next - end > leastGap ? end : Infinity }]);
  }
  return (line) => lines.get(line)?.shift();
};

/** `duration`: in seconds; null: nobody knows. `known`: those that were there before. Empty lines are nothing. */
export const readChapters = (text: string, duration: number | null, known: readonly Chapter[] = []): ReadChapters => {
  const before = untouched(known, duration);
  const begun: Begun[] = [];
  const faults: LineFault[] = [];
  for (const [at, written] of text.split(/\r\n|\r|\n/).entries()) {
    const trimmed = canonical(written);
    if (trimmed === '') continue;
    const [, time = '', rest = ''] = line.exec(trimmed) ?? [];
    const { start, title, until } = before(trimmed) ?? { start: time.includes(':') ? readTime(time) : null, title: rest.trim(), until: Infinity };
    const say = (fault: ChapterFault): void => void faults.push({ line: at + 1, fault });
    if (start === null) say('time');
    else if (title === '') say('title');
    else if ([...title].length > longestTitle) say('long');
    else if (start <= (begun.at(-1)?.start ?? -1)) say('order');
    else if (duration !== null && start >= duration) say('beyond');
    else if (begun.length === mostChapters) say('many');
    else begun.push({ start, title, until });
    // One too many says it for all that follow.
    if (faults.at(-1)?.fault === 'many') break;
  }
  const chapters = begun.map(({ start, title, until }, at) => {
    const end = Math.min(until, begun[at + 1]?.start ?? Math.max(duration ?? start, start));
    return { start, end, title };
  });
  return { chapters, faults };
};

/** How long what is shown of it lasts, in seconds: to its owner `duration` is of all of it. */
export const shownLength = ({ duration, trim }: Pick<Video, 'duration' | 'trim'>): number | null => (duration === null ? null : Math.min(trim?.out ?? duration, duration) - (trim?.in ?? 0));

/** Which one a time lies in; -1: none. */
export const chapterAt = (chapters: readonly Chapter[], time: number): number =>
  // A seek to its beginning may land some milliseconds before it.
  chapters.findLastIndex(({ start, end }) => start <= time + 0.05 && (time < end || end <= start));
