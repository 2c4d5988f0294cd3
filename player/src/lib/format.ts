/** Numbers, dates and lengths in the reader's language. */
import type { Instant } from '../api/types.ts';

export const dateOf = (instant: Instant): Date => new Date(instant);

/** "3 days ago", "3일 전". */
export const ago = (language: string, instant: Instant, now: number): string => {
  const seconds = Math.round((dateOf(instant).getTime() - now) / 1000);
  if (!Number.isFinite(seconds)) return '';
  const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
    ['year', 31_536_000],
    ['month', 2_592_000],
    ['week', 604_800],
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? (['second', 1] as const);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(Math.trunc(seconds / size), unit);
};

/** 1:02:03 or 4:05. */
export const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};

export const count = (language: string, value: number): string =>
  new Intl.NumberFormat(language, { notation: value >= 10_000 ? 'compact' : 'standard' }).format(value);
