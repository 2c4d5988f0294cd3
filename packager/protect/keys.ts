/**
 * Keys of protected media, as views see them: which key a segment is under follows from its number alone, so playlists,
 * media and licences agree without asking each other.
 *
 *     video ──▶ KeyProvider ──▶ KeyRing ──prepare(slots)──▶ … ──key(slot)──▶ { kid, key, iv, signals }
 *
 * Who makes the keys is somebody else's business: this server does, or a service that has to be asked. So they are wanted
 * ahead, which may take its time; what is prepared is there at once, and views wait for nothing.
 */
import { nextMsn } from '../hls/window.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import type { KeySignal } from './signals.ts';

/** `aes-128`: whole files, for HLS; `cbcs`: what lies inside of them, for HLS and DASH. */
export type Scheme = 'aes-128' | 'cbcs';

/** 16 bytes each. */
export type MediaKey = {
  /** Its id, which anybody may know. */
  readonly kid: Buffer;
  readonly key: Buffer;
  /** With which every file under the key begins, or every protected range. */
  readonly iv: Buffer;
  /** Where players get it, in the order in which they are told. Without one nobody does. */
  readonly signals: readonly KeySignal[];
};

/** From the first to the last of them. */
export type Slots = { readonly first: number; readonly last: number; /** More will follow: the next one is wanted soon. */ readonly growing: boolean };

export interface KeyRing {
  /** The key is another after so many segments. Never changes for a video. */
  readonly segmentsPerKey: number;
  /** How many keys are in memory. */
  readonly held: number;
  /** Null: these are there. Otherwise when they are; rejects with a KeyError when they are not to be had, in bounded time. */
  prepare(slots: Slots): Promise<void> | null;
  /** Of a slot that has been prepared; throws a KeyError for another one. */
  key(slot: number): MediaKey;
  /** Null: no key of this video, as far as it has been prepared. */
  withId(kid: Buffer): MediaKey | null;
}

export interface KeyProvider {
  /** At once for what was played lately. The ring of a video is made with its first use and never changes. */
  ringOf(video: string): KeyRing | Promise<KeyRing>;
}

/** What views need to know of a video that is protected. */
export type Protected = { readonly scheme: Scheme; readonly ring: KeyRing };

/** Captions lie beside protected media in the clear: no player reads them otherwise everywhere. */
export const isProtected = ({ kind }: Pick<TrackSnapshot, 'kind'>): boolean => kind !== 'text';

/** The same number means the same time in all tracks, so they are all under one key. */
export const slotOf = ({ ring }: Protected, msn: number): number => Math.floor(msn / ring.segmentsPerKey);

/** In cbcs the init segment says which key its media is under, so there is one for each key; otherwise it is clear, and one. */
export const initSlotOf = (sealed: Protected | null, track: TrackSnapshot, msn: number): number | null =>
  sealed?.scheme === 'cbcs' && isProtected(track) ? slotOf(sealed, msn) : null;

/** Of all that can be asked for now: from the first segment that is known to the one that comes next. */
export const slotsOf = ({ segmentsPerKey }: KeyRing, { tracks, state }: PresentationSnapshot): Slots => {
  const sealed = tracks.filter(isProtected);
  const first = Math.min(...sealed.map((track) => track.segments[0]?.msn ?? nextMsn(track)));
  const last = Math.max(0, ...sealed.map(nextMsn));
  const slot = (msn: number): number => Math.floor(msn / segmentsPerKey);
  return { first: slot(Math.min(first, last)), last: slot(last), growing: state === 'live' };
};
