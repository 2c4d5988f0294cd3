/**
 * A ring of keys that follow from one secret: each is HMAC-SHA256 of the secret over its slot (RFC 5869 expands so), so that
 * nothing has to be stored when a new period begins, and whoever has one key knows nothing of the next.
 *
 *     kid    bytes 0-3     the slot, so that a key is found by its id
 *                 4-15     what only the secret makes of it
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyRing, MediaKey } from './keys.ts';
import { ours } from './signals.ts';

const idBytes = 16;
const slotBytes = 4;
const lastSlot = 2 ** 32 - 1;

export const keyRing = (secret: Buffer, segmentsPerKey: number): KeyRing => {
  const expand = (what: 'id' | 'key', slot: number): Buffer => createHmac('sha256', secret).update(`millrace media ${what} ${slot}`).digest();
  const key = (slot: number): MediaKey => {
    if (!Number.isInteger(slot) || slot < 0 || slot > lastSlot) throw new RangeError(`there is no key ${slot}`);
    const kid = expand('id', slot).subarray(0, idBytes);
    kid.writeUInt32BE(slot, 0);
    const made = expand('key', slot);
    return { kid, key: made.subarray(0, idBytes), iv: made.subarray(idBytes), signals: ours };
  };
  return {
    segmentsPerKey,
    held: 1,
    // They follow from the secret: there is nothing to wait for.
    prepare: () => null,
    find: () => null,
    key,
    withId(kid) {
      if (kid.length !== idBytes) return null;
      const found = key(kid.readUInt32BE(0));
      return timingSafeEqual(found.kid.subarray(slotBytes), kid.subarray(slotBytes)) ? found : null;
    },
  };
};
