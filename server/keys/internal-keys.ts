/**
 * Keys that this server makes itself: each protected video has one random secret in the catalog, sealed by the master key,
 * and its keys follow from that. They are in no log, and in memory only for what was played lately.
 */
import { randomBytes } from 'node:crypto';
import { keyRing } from '../../packager/protect/key-ring.ts';
import type { MediaSecretStore } from '../catalog/media-secrets.ts';
import type { RingSource } from './rings.ts';

export type InternalKeysOptions = {
  readonly secrets: MediaSecretStore;
  /** Of videos that are protected from now on. */
  readonly segmentsPerKey: number;
};

const secretBytes = 32;

export const internalKeys = ({ secrets, segmentsPerKey }: InternalKeysOptions): RingSource => ({
  async open(video) {
    const kept = await secrets.keep(video, { secret: randomBytes(secretBytes), segmentsPerKey });
    return keyRing(kept.secret, kept.segmentsPerKey);
  },
});
