/**
 * Keys of protected media, as views see them: which key a segment is under follows from its number alone, so playlists,
 * media and licences agree without asking each other.
 *
 *     video ──▶ KeyProvider ──▶ KeyRing ──slot──▶ { kid, key, iv }
 *
 * Who makes the keys is somebody else's business: this server does, or an external service will.
 */
import { epochOfTrack } from '../hls/window.ts';
import type { TrackSnapshot } from '../snapshot.ts';

/** `aes-128`: whole files, for HLS; `cbcs`: what lies inside of them, for HLS and DASH. */
export type Scheme = 'aes-128' | 'cbcs';

/** 16 bytes each. */
export type MediaKey = {
  /** Its id, which anybody may know. */
  readonly kid: Buffer;
  readonly key: Buffer;
  /** With which every file under the key begins, or every protected range. */
  readonly iv: Buffer;
};

export interface KeyRing {
  /** AES-128: the key is another after so many segments. Never changes for a video. */
  readonly segmentsPerKey: number;
  key(slot: number): MediaKey;
  /** Null: no key of this video. */
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

/**
 * In AES-128 a key lasts for so many segments; the same number means the same time in all tracks. In cbcs the init segment
 * names the key, so it lasts as long as that.
 */
export const slotOf = ({ scheme, ring }: Protected, track: TrackSnapshot, { epoch, msn }: { readonly epoch: number; readonly msn: number }): number =>
  scheme === 'cbcs' ? (epochOfTrack(track, epoch)?.epoch ?? epoch) : Math.floor(msn / ring.segmentsPerKey);
