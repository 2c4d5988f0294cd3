/** Which files this browser has begun to send: by fingerprint, the video's id. Addresses are not kept: they let anybody write. */
import { remember, remembered } from '../state/remembered.ts';

export interface Memory {
  find(fingerprint: string): string | null;
  keep(fingerprint: string, video: string): void;
  forget(fingerprint: string): void;
}

const key = 'uploads';
/** Whatever is older than this many has expired, most likely; the server knows it by its fingerprint too. */
const most = 100;

type Kept = readonly (readonly [fingerprint: string, video: string])[];

const isPair = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');

const read = (): Kept => {
  try {
    const kept: unknown = JSON.parse(remembered(key) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isPair) : [];
  } catch {
    return []; // somebody else's; it is written over
  }
};

export const browserMemory: Memory = {
  find: (fingerprint) => read().find(([print]) => print === fingerprint)?.[1] ?? null,
  // Read anew each time: another tab keeps its own here too.
  keep(fingerprint, video) {
    const others = read().filter(([print]) => print !== fingerprint);
    remember(key, JSON.stringify([[fingerprint, video], ...others].slice(0, most)));
  },
  forget(fingerprint) {
    const others = read().filter(([print]) => print !== fingerprint);
    remember(key, others.length === 0 ? null : JSON.stringify(others));
  },
};
