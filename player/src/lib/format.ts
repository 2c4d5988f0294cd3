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

/** Media counts in ticks: what is a microsecond short of half a minute lasts half a minute. */
const tick = 0.001;

/** 1:02:03 or 4:05. */
export const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds + tick));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};

/** How long something lasts: what has any length has a second of it. */
export const lengthText = (seconds: number): string => clock(seconds > 0 ? Math.max(1, seconds) : 0);

export const count = (language: string, value: number): string =>
  new Intl.NumberFormat(language, { notation: value >= 10_000 ? 'compact' : 'standard' }).format(value);

const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

const inUnit = (language: string, value: number, unit: string): string =>
  new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: unit === 'byte' ? 'long' : 'short',
    // Three figures at most: nobody reads more of a number that moves.
    maximumFractionDigits: value < 10 && unit !== 'byte' ? 1 : 0,
  }).format(value);

/** 1.2 GB; thousands, as the settings of the server and most systems count. */
export const bytesText = (language: string, bytes: number): string => {
  let step = 0;
  let value = Math.max(0, bytes);
  // 999.7 would be written as 1,000.
  while (value >= 999.5 && step < sizes.length - 1) {
    value /= 1000;
    step += 1;
  }
  return inUnit(language, value, sizes[step] ?? 'byte');
};

/** 2.5 Mbps, 350 kbps: as encoders and other players name them. Two figures: it is an average. */
export const bitRateText = (language: string, bitsPerSecond: number): string => {
  const [value, unit] = bitsPerSecond >= 995_000 ? [bitsPerSecond / 1e6, 'Mbps'] : [bitsPerSecond / 1000, 'kbps'];
  const digits = new Intl.NumberFormat(language, value < 10 || unit === 'kbps' ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 });
  return `${digits.format(value)} ${unit}`;
};

/** 720p, 480p. */
export const heightsText = (heights: readonly number[]): string => heights.map((height) => `${height}p`).join(', ');

/** Beside each other, as people list things. */
export const listText = (language: string, words: readonly string[]): string => new Intl.ListFormat(language, { type: 'conjunction' }).format(words);

export const decimal = (language: string, value: number, digits: number): string => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

/** A share as people read it: 42 %. Full only when it is: 99.7 % is not done. */
export const percentText = (language: string, share: number): string =>
  new Intl.NumberFormat(language, { style: 'percent' }).format(Math.floor(Math.min(1, Math.max(0, share)) * 100) / 100);

/** How long something will take, in one unit, rounded so that it does not flicker: 20 seconds, 3 minutes, 2 hours. */
export const spanText = (language: string, seconds: number): string => {
  const long = (value: number, unit: string): string =>
    new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(value);
  if (seconds < 10) return long(Math.max(1, Math.ceil(seconds)), 'second');
  if (seconds < 55) return long(Math.ceil(seconds / 5) * 5, 'second');
  if (seconds < 3570) return long(Math.round(seconds / 60), 'minute');
  if (seconds < 36 * 3600) return long(Math.round(seconds / 3600), 'hour');
  return long(Math.round(seconds / 86_400), 'day');
};
