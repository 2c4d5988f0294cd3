/** What a playlist says, as the rules see it. Read by `m3u8.ts`. */
import type { Fault } from '../finding.ts';
import type { Attributes } from './attributes.ts';

export type MapTag = {
  readonly uri: string;
  readonly byteRange: string | null;
  /** AES-128 is in force, and nothing says with which IV an init segment, which has no number, begins. */
  readonly unreadable: boolean;
};

export type Part = {
  readonly uri: string;
  readonly duration: number;
  readonly independent: boolean;
  readonly gap: boolean;
  readonly byteRange: string | null;
};

/** A segment, or the one in progress (without a URI) of which only parts are there. */
export type Segment = {
  readonly msn: number;
  readonly uri: string | null;
  readonly duration: number;
  /** DISCONTINUITY tags ahead of it. */
  readonly discontinuities: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE plus all that came before. */
  readonly discontinuitySequence: number;
  /** The MAP in force. */
  readonly map: MapTag | null;
  /** It stands ahead of this very segment. */
  readonly ownMap: boolean;
  /** A KEY of samples does: their init segment names it, and is another with it. */
  readonly ownKey: boolean;
  readonly date: number | null;
  readonly gap: boolean;
  readonly byteRange: string | null;
  /** A KEY is in force. */
  readonly encrypted: boolean;
  readonly parts: readonly Part[];
  /** Tags that came behind the first part of it. */
  readonly late: readonly string[];
};

export type ServerControl = {
  readonly text: string;
  readonly canBlockReload: boolean;
  readonly canSkipUntil: number | null;
  readonly holdBack: number | null;
  readonly partHoldBack: number | null;
};

export type Hint = { readonly type: string; readonly uri: string };
export type RenditionReport = { readonly uri: string; readonly lastMsn: number | null; readonly lastPart: number | null };
export type DateRange = { readonly id: string | null; readonly attributes: Attributes };

export type MediaPlaylist = {
  readonly kind: 'media';
  readonly version: number | null;
  readonly targetDuration: number | null;
  readonly partTarget: number | null;
  readonly serverControl: ServerControl | null;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly independentSegments: boolean;
  readonly iframesOnly: boolean;
  readonly playlistType: string | null;
  readonly endList: boolean;
  readonly start: number | null;
  /** SKIPPED-SEGMENTS; null: a full playlist. */
  readonly skipped: number | null;
  readonly segments: readonly Segment[];
  /** Parts of the segment in progress, and what is said of it. */
  readonly open: Segment | null;
  readonly hints: readonly Hint[];
  readonly reports: readonly RenditionReport[];
  readonly dateRanges: readonly DateRange[];
  /** The highest version that its tags need (section 8). */
  readonly needsVersion: number;
  readonly faults: readonly Fault[];
};

export type Rendition = { readonly type: string; readonly group: string; readonly name: string; readonly uri: string | null; readonly attributes: Attributes };
export type Variant = { readonly uri: string; readonly attributes: Attributes };

export type MultivariantPlaylist = {
  readonly kind: 'multivariant';
  readonly version: number | null;
  readonly variants: readonly Variant[];
  readonly renditions: readonly Rendition[];
  readonly iframes: readonly Variant[];
  readonly start: number | null;
  readonly faults: readonly Fault[];
};

/** The first number that is not listed as a whole segment. */
export const nextMsn = ({ mediaSequence, skipped, segments }: MediaPlaylist): number => mediaSequence + (skipped ?? 0) + segments.length;

export const lengthOf = ({ segments, open }: MediaPlaylist): number =>
  segments.reduce((sum, { duration }) => sum + duration, 0) + partsLength(open?.parts ?? []);

export const partsLength = (parts: readonly Part[]): number => parts.reduce((sum, { duration }) => sum + duration, 0);
