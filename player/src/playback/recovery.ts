/**
 * What to do about a failure that hls.js calls fatal. Pure: the failure and what was tried before in, the next step out.
 *
 *   network   try again, ever more patiently, for as long as the page is open
 *   403       the grant is wrong, expired or revoked: trying again cannot help
 *   404       live: a few tries (a playlist may be a moment younger than its announcement); then it is gone
 *             a recording: its list may be an old one (its owner has trimmed or protected it since): it is read anew
 *   codec     this browser has no decoder for it: nothing can help
 *   clearkey  this browser has no ClearKey, or none on a page without https: nothing can help
 *   keys      the key of a protected video is not there (by a list that is not an old one), or does not open it: trying again cannot help
 *   media     recover the media element; then with the audio codec swapped; then a new player; then give up
 */
import { backOff } from '../lib/back-off.ts';
import type { ErrorCode } from './state.ts';

export type Failure = {
  readonly kind: 'network' | 'codec' | 'clearkey' | 'keys' | 'media' | 'other';
  /** HTTP status, 0 when the server was not reached. */
  readonly status: number;
  /** The multivariant playlist itself was not there: there is nothing to resume yet. */
  readonly manifest: boolean;
  /** Nothing is added to the list any more. */
  readonly ended: boolean;
  /** What was being played is protected: media that cannot be decoded may be under another key. */
  readonly sealed: boolean;
  /** Without https; there browsers have no ClearKey. */
  readonly insecure: boolean;
};

export type Tried = { network: number; missing: number; anew: number; media: number };

export const nothingTried = (): Tried => ({ network: 0, missing: 0, anew: 0, media: 0 });

export type Step =
  | { readonly do: 'load-again'; readonly after: number }
  | { readonly do: 'resume'; readonly after: number }
  | { readonly do: 'read-anew' }
  | { readonly do: 'recover-media'; readonly swapAudio: boolean }
  | { readonly do: 'rebuild' }
  | { readonly do: 'give-up'; readonly code: ErrorCode };

const networkRetry = { first: 500, most: 8_000 };
const missingTries = 6;
/** In all of a viewing: one file of it may be missing for good. */
const anewTries = 4;

export const nextStep = (failure: Failure, tried: Tried, random: () => number): Step => {
  const gone = failure.status === 404 || failure.status === 410;
  if (gone && failure.ended && !failure.manifest && tried.anew < anewTries) {
    tried.anew += 1;
    return { do: 'read-anew' };
  }
  if (failure.kind === 'network') {
    if (failure.status === 401 || failure.status === 403) return { do: 'give-up', code: 'forbidden' };
    if (gone && ++tried.missing > missingTries) return { do: 'give-up', code: 'missing' };
    return { do: failure.manifest ? 'load-again' : 'resume', after: backOff(tried.network++, networkRetry, random) };
  }
  if (failure.kind === 'codec' || failure.kind === 'keys') return { do: 'give-up', code: failure.kind };
  if (failure.kind === 'clearkey') return { do: 'give-up', code: failure.insecure ? 'insecure' : 'noClearKey' };
  tried.media += 1;
  if (failure.kind === 'media' && tried.media <= 2) return { do: 'recover-media', swapAudio: tried.media === 2 };
  if (tried.media <= 3) return { do: 'rebuild' };
  return { do: 'give-up', code: failure.sealed ? 'keys' : 'media' };
};
