/**
 * What to do about a failure that hls.js calls fatal. Pure: the failure and what was tried before in, the next step out.
 *
 *   network   try again, ever more patiently, for as long as the page is open
 *   403       the grant is wrong, expired or revoked: trying again cannot help
 *   404       live: a few tries (a playlist may be a moment younger than its announcement); then it is gone
 *             a recording: its list may be an old one (its owner has trimmed or protected it since): it is read anew
 *   codec     this browser has no decoder for it: nothing can help
 *   clearkey  this browser has no ClearKey, or none on a page without https: nothing can help
 *   keys      404, live: as media, for a key may be a moment younger than its list, or the server than its restart; then it is not there
 *             404, a recording: as media, its list may be an old one; then it is not there
 *             otherwise it does not open what it should: trying again cannot help
 *   media     recover the media element; then with the audio codec swapped; then a new player; then give up. Each after a calm minute begins anew
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
  /** What was being played is protected: where nothing of it was ever seen, it may be under another key. */
  readonly sealed: boolean;
  /** Without https; there browsers have no ClearKey. */
  readonly insecure: boolean;
};

export type Tried = {
  network: number;
  missing: number;
  anew: number;
  media: number;
  /** Something was seen in this viewing: whatever fails now, the key that it had was the right one. */
  seen: boolean;
  /** Seconds that have played since media failed last. */
  calm: number;
};

export const nothingTried = (): Tried => ({ network: 0, missing: 0, anew: 0, media: 0, seen: false, calm: 0 });

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
/** Under a wrong key some decoders show rubbish for a moment before they fail. Seconds. */
const reallySeen = 1;
/** What failed before that has been recovered from: the hiccups of a day-long show do not add up. Seconds. */
const calmAgain = 60;

/** It has played for so many seconds more. */
export const played = (seconds: number, tried: Tried): void => {
  tried.calm += seconds;
  if (tried.calm >= reallySeen) tried.seen = true;
  if (tried.calm >= calmAgain) tried.media = 0;
};

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
  if (failure.kind === 'keys' && gone && !failure.ended && ++tried.missing <= missingTries) {
    return { do: 'resume', after: backOff(tried.network++, networkRetry, random) };
  }
  if (failure.kind === 'codec' || failure.kind === 'keys') return { do: 'give-up', code: failure.kind };
  if (failure.kind === 'clearkey') return { do: 'give-up', code: failure.insecure ? 'insecure' : 'noClearKey' };
  tried.media += 1;
  tried.calm = 0;
  if (failure.kind === 'media' && tried.media <= 2) return { do: 'recover-media', swapAudio: tried.media === 2 };
  if (tried.media <= 3) return { do: 'rebuild' };
  return { do: 'give-up', code: failure.sealed && !tried.seen ? 'keys' : 'media' };
};
