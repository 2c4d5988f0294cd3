/** The choices that a channel has, in words. */
import { latencies, visibilities } from '../../api/types.ts';
import type { Latency, Visibility } from '../../api/types.ts';
import { languageName } from '../../lib/languages.ts';
import { language, t } from '../../words/index.ts';

export const visibilityOptions = (): readonly (readonly [Visibility, string])[] =>
  visibilities.map((visibility) => [visibility, t(`room.visibility.${visibility}`)] as const);

/** One that these pages cannot choose (a list, a password) goes by the name that the API has for it. */
export const visibilityText = (visibility: string): string => {
  const known = visibilities.find((other) => other === visibility);
  return known ? t(`room.visibility.${known}`) : visibility;
};

export const latencyOptions = (): readonly (readonly [Latency, string])[] =>
  latencies.map((latency) => [latency, t(`room.latency.${latency}`)] as const);

/** How far back viewers can go, in seconds; `whole` is null in the API. */
const dvrChoices = [0, 1_800, 7_200, 14_400] as const;

const dvrText = (seconds: number): string => {
  if (seconds === 0) return t('room.dvr.none');
  const hours = seconds / 3600;
  return Number.isInteger(hours) ? t('room.dvr.hours', { count: hours }) : t('room.dvr.minutes', { count: Math.round(seconds / 60) });
};

/** A length that was set over the API and is none of these stays choosable. */
export const dvrOptions = (current: number | null): readonly (readonly [string, string])[] => {
  const lengths: number[] = [...dvrChoices];
  if (current !== null && !lengths.includes(current)) lengths.push(current);
  lengths.sort((a, b) => a - b);
  return [...lengths.map((seconds) => [String(seconds), dvrText(seconds)] as const), ['whole', t('room.dvr.whole')] as const];
};

export const dvrValue = (dvr: number | null): string => (dvr === null ? 'whole' : String(dvr));
export const dvrOf = (value: string): number | null => (value === 'whole' ? null : Number(value));

export const languageText = (tag: string): string => languageName(tag, language.get());
