/** How places on the time bar are written: how far behind while live, how far in afterwards. Pure. */
import { clock } from '../lib/format.ts';
import type { Moment } from '../playback/index.ts';

/** "-3:20" behind live. */
export const behindText = (seconds: number): string => `-${clock(Math.round(seconds))}`;

/** Behind live, or since the beginning of what is listed. */
export const timeText = ({ live, window }: Moment, time: number): string =>
  live ? behindText(Math.max(0, window.to - time)) : clock(time - window.from);

/** The clock on the wall when that was, in the reader's language and zone. */
export const clockText = (language: string, date: number): string =>
  new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit', second: '2-digit' }).format(date);

/** "3 minutes, 20 seconds" for those who listen. */
export const spokenLength = (language: string, seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ] as const;
  const said = parts.filter(([count, unit], index) => count > 0 || (unit === 'second' && index === 2 && whole === 0));
  const words = said.map(([count, unit]) =>
    new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count),
  );
  return words.join(' ');
};

/** 0 at the window's beginning, 1 at its end. */
export const shareOf = ({ window: { from, to } }: Moment, time: number): number =>
  to <= from ? 1 : Math.min(1, Math.max(0, (time - from) / (to - from)));

export const timeAt = ({ window: { from, to } }: Moment, share: number): number =>
  from + Math.min(1, Math.max(0, share)) * (to - from);

/** What a key on the focused bar does: the time to go to, or null. Home is the beginning, End is live or the end. */
export const barKey = (moment: Moment, key: string): number | null => {
  const { at, window } = moment;
  const steps: Readonly<Record<string, number>> = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -60, PageUp: 60 };
  if (key === 'Home') return window.from;
  if (key === 'End') return window.to;
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return step === undefined ? null : Math.min(window.to, Math.max(window.from, at + step));
};
