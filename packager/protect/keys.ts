/**
 * Keys of protected media, as views see them: which key a segment is under follows from its number alone, so playlists,
 * media and licences agree without asking each other.
 *
 *     video ──▶ KeyProvider ──▶ KeyRing ──prepare(slots)──▶ … ──key(slot)──▶ { kid, key, iv, signals }
 *
 * Who makes the keys is somebody else's business: this server does, or a service that has to be asked. So they are wanted
 * ahead, which may take its time; what is prepared is there at once, and views wait for nothing.
 */
import { firstIndex, listed, nextMsn } from '../hls/window.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { checkTold, type KeySignal } from './signals.ts';

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
export type Slots = { readonly first: number; readonly last: number; /** More will follow: the next one is wanted soon. */ readonly growing: boolean; /** Players have to be told of them in this way. */ readonly scheme: Scheme };

export interface KeyRing {
  /** The key is another after so many segments. Never changes for a video. */
  readonly segmentsPerKey: number;
  /** How many keys are in memory. */
  readonly held: number;
  /** Null: these are there. Otherwise when they are; rejects with a KeyError when they are not to be had, in bounded time. */
  prepare(slots: Slots): Promise<void> | null;
  /** Of a slot that has been prepared; throws a KeyError for another one. */
  key(slot: number): MediaKey;
  /** The same for keys of which only the ids are known, and that they are among these. Those that nobody has are not waited for twice. */
  find(kids: readonly Buffer[], among: Slots): Promise<void> | null;
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

/** Of a slot that has been prepared. Throws a KeyError where no player could be told of it: nothing must be listed under such a key. */
export const keyOf = ({ ring, scheme }: Protected, slot: number): MediaKey => {
  const key = ring.key(slot);
  checkTold(key.signals, scheme);
  return key;
};

/** Of all that can be asked for now: from the first segment that is known to the one that comes next. */
export const slotsOf = (sealed: Protected, { tracks, state }: PresentationSnapshot): Slots => {
  const first = Math.min(...tracks.filter(isProtected).map((track) => track.segments[0]?.msn ?? nextMsn(track)));
  const last = lastMsn(tracks);
  return { first: slotOf(sealed, Math.min(first, last)), last: slotOf(sealed, last), growing: state === 'live', scheme: sealed.scheme };
};

const lastMsn = (tracks: readonly TrackSnapshot[]): number => Math.max(0, ...tracks.filter(isProtected).map(nextMsn));

/** The key that is said in the multivariant playlist: players begin there. */
export const sessionSlot = (sealed: Protected, snapshot: PresentationSnapshot): number => {
  const { first, last, growing } = slotsOf(sealed, snapshot);
  return growing ? last : first;
};

/** Of one of them. */
export const onlySlot = ({ last, growing, scheme }: Slots, slot: number): Slots => ({ first: slot, last: slot, growing: growing && slot >= last, scheme });

/** Of what is listed of some tracks: all of it, or the window that is watched live. Null: nothing that is protected. */
export const listedSlots = (sealed: Protected, snapshot: PresentationSnapshot, tracks: readonly TrackSnapshot[], whole: boolean): Slots | null => {
  const all = slotsOf(sealed, snapshot);
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const track of tracks.filter(isProtected)) {
    const { from, to, open, ended } = listed(snapshot, track, whole ? track.firstSegment : track.liveStart);
    const next = nextMsn(track);
    first = Math.min(first, slotOf(sealed, (from < to ? track.segments[from]?.msn : undefined) ?? next));
    // What is being written, and what is hinted at, stands behind the list of a show that goes on.
    last = Math.max(last, ended && !open ? slotOf(sealed, track.segments[to - 1]?.msn ?? next) : all.last);
  }
  return first > last ? null : { ...all, first, last, growing: all.growing && last === all.last };
};

/** Of what an init segment may be asked for under: the segments that it is for, and the one behind them. Null: none. */
export const initSlots = (sealed: Protected, snapshot: PresentationSnapshot, track: TrackSnapshot, epoch: number): Slots | null => {
  const all = slotsOf(sealed, snapshot);
  const until = track.epochs.find((other) => other.epoch > epoch)?.epoch ?? Number.POSITIVE_INFINITY;
  const from = firstIndex(track, 0, track.endSegment, (segment) => segment.epoch >= epoch);
  const to = firstIndex(track, from, track.endSegment, (segment) => segment.epoch >= until);
  const next = nextMsn(track);
  const goesOn = until === Number.POSITIVE_INFINITY && snapshot.state === 'live';
  const isOpen = track.open !== null && track.open.epoch >= epoch && track.open.epoch < until;
  if (from === to && !goesOn && !isOpen) return null;
  const first = (from < to ? track.segments[from]?.msn : undefined) ?? next;
  // The list names the next one under the last configuration that is known, which another may follow before it is asked for.
  const last = (from < to ? track.segments[to - 1]?.msn : undefined) ?? next;
  const end = goesOn ? all.last : slotOf(sealed, isOpen ? next : last + 1);
  return { ...all, first: slotOf(sealed, first), last: Math.min(end, all.last), growing: false };
};
