/** Chapters as they are typed: one a line, `0:00 Opening`. Pure. */
import type { Chapter } from '../api/types.ts';
import { readTime, typedTime } from './time-param.ts';

/** What is wrong with a line. */
export type ChapterFault = 'time' | 'title' | 'order' | 'beyond' | 'long' | 'many';
export type LineFault = { /** From 1. */ readonly line: number; readonly fault: ChapterFault };
export type ReadChapters = { readonly chapters: readonly Chapter[]; readonly faults: readonly LineFault[] };

export const mostChapters = 1000;
export const longestTitle = 200;

/** A time first, then the title; what people put between the two is left out. */
const line = /^(\d[\d:.]*)(?:\s*[-–—]\s+|\s+|$)(.*)$/;

/** `duration`: in seconds; null: nobody knows. Empty lines are nothing. */
export const readChapters = (text: string, duration: number | null): ReadChapters => {
  const begun: { start: number; title: string }[] = [];
  const faults: LineFault[] = [];
  for (const [at, written] of text.normalize('NFC').split(/\r\n|\r|\n/).entries()) {
    const trimmed = written.trim();
    if (trimmed === '') continue;
    const [, time = '', rest = ''] = line.exec(trimmed) ?? [];
    const start = time.includes(':') ? readTime(time) : null;
    const title = rest.trim();
    const say = (fault: ChapterFault): void => void faults.push({ line: at + 1, fault });
    if (start === null) say('time');
    else if (title === '') say('title');
    else if ([...title].length > longestTitle) say('long');
    else if (start <= (begun.at(-1)?.start ?? -1)) say('order');
    else if (duration !== null && start >= duration) say('beyond');
    else if (begun.length === mostChapters) say('many');
    else begun.push({ start, title });
    // One too many says it for all that follow.
    if (faults.at(-1)?.fault === 'many') break;
  }
  const endOf = (at: number, start: number): number => begun[at + 1]?.start ?? Math.max(duration ?? start, start);
  return { chapters: begun.map(({ start, title }, at) => ({ start, end: endOf(at, start), title })), faults };
};

export const chapterLines = (chapters: readonly Chapter[]): string => chapters.map(({ start, title }) => `${typedTime(start)} ${title.replaceAll(/\s+/g, ' ').trim()}`).join('\n');

/** Which one a time lies in; -1: none. */
export const chapterAt = (chapters: readonly Chapter[], time: number): number =>
  // A seek to its beginning may land some milliseconds before it.
  chapters.findLastIndex(({ start, end }) => start <= time + 0.05 && (time < end || end <= start));
