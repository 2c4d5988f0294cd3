/**
 * A span of a recording, as the API says it: seconds from its beginning, null for no end there. Inside it is whole
 * milliseconds, as in the address of a cut.
 */
import { Type } from 'typebox';
import type { VideoRow } from '../../catalog/videos.ts';
import { Problem } from '../kit/problem.ts';
import { closed } from './shapes.ts';

// As many digits as the address of a cut has room for: eleven days.
const seconds = { minimum: 0, maximum: 999_999, wants: 'seconds from the beginning, or null' } as const;
/** Optional and nullable mean the same: not cut there. */
export const moment = Type.Union([Type.Number(seconds), Type.Null()], { wants: seconds.wants });

export const trimShape = Type.Union([Type.Object({ in: Type.Optional(moment), out: Type.Optional(moment) }, closed), Type.Null()], {
  wants: '{"in": seconds from the beginning or null, "out": the same}, or null for the whole recording',
  description: 'What of a recording is shown, seconds from its beginning; null: all of it. Nothing is deleted: what lies outside is neither listed nor served.',
});

export type Span = { readonly inMs: number | null; readonly outMs: number | null };
type Moments = { readonly in?: number | null; readonly out?: number | null };
type Within = Pick<VideoRow, 'durationMs'> & Partial<Pick<VideoRow, 'cutInMs' | 'cutOutMs'>>;

/** Less than this is a slip of the hand, and no player plays it. */
const leastMs = 1_000;

const toMs = (value: number | null | undefined): number | null => (value === null || value === undefined ? null : Math.round(value * 1000));
const said = (ms: number): string => `${ms / 1000} s`;

const refuse = (field: string, detail: string): never => {
  const sentence = `\`${field}\` ${detail}`;
  throw new Problem('validation', sentence, { errors: [{ field, detail: sentence }] });
};

/** `prefix` is before the names of the fields: `trim.`, or nothing. Throws a Problem that says what cannot be. */
export const spanOf = ({ in: from, out: to }: Moments, within: Within, prefix: string): Span => {
  // From the very beginning is not cut there.
  const span = { inMs: toMs(from) || null, outMs: toMs(to) };
  const { durationMs, cutInMs = null, cutOutMs = null } = within;
  const end = Math.min(durationMs ?? Infinity, cutOutMs ?? Infinity);
  if (span.inMs !== null && span.outMs !== null && span.inMs >= span.outMs) refuse(`${prefix}in`, `must lie before \`${prefix}out\`.`);
  if (durationMs !== null && span.outMs !== null && span.outMs > durationMs) refuse(`${prefix}out`, `lies behind the end: the recording is ${said(durationMs)} long.`);
  if (durationMs !== null && span.inMs !== null && span.inMs >= durationMs) refuse(`${prefix}in`, `lies behind the end: the recording is ${said(durationMs)} long.`);
  const left = Math.min(span.outMs ?? Infinity, end) - Math.max(span.inMs ?? 0, cutInMs ?? 0);
  const field = span.inMs === null ? 'out' : 'in';
  if ((span.inMs !== null || span.outMs !== null) && left < leastMs) refuse(`${prefix}${field}`, `leaves less than ${said(leastMs)} of what is shown.`);
  return span;
};

/** How long it is for whoever watches; null: not known. */
export const shownMs = ({ durationMs, cutInMs, cutOutMs }: Pick<VideoRow, 'durationMs' | 'cutInMs' | 'cutOutMs'>): number | null =>
  durationMs === null ? null : Math.max(0, Math.min(cutOutMs ?? durationMs, durationMs) - (cutInMs ?? 0));
