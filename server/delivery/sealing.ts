/**
 * The cipher between the log and the answer: what lies in the log is clear, and what leaves for a player of a protected
 * video is not. Each file is made once, and kept as ciphertext under its own name: its number says which key it is under.
 */
import { setImmediate } from 'node:timers/promises';
import { readInit } from '../../packager/cmaf/reader.ts';
import { epochOfTrack, segmentByMsn } from '../../packager/hls/window.ts';
import { CodecError } from '../../packager/media/codec-error.ts';
import { SliceHeaders } from '../../packager/media/h264-slice.ts';
import type { MediaName } from '../../packager/names.ts';
import { inTurns } from '../../packager/progressive/steps.ts';
import { aes128, aes128Elsewhere } from '../../packager/protect/aes-128.ts';
import { CbcsCipher } from '../../packager/protect/cbcs-cipher.ts';
import { cbcsSteps } from '../../packager/protect/cbcs-fragment.ts';
import { cbcsInit } from '../../packager/protect/cbcs-init.ts';
import { initSlots, isProtected, keyOf, onlySlot, slotOf, slotsOf, type MediaKey, type Protected, type Slots } from '../../packager/protect/keys.ts';
import { ProtectError } from '../../packager/protect/protect-error.ts';
import type { PresentationSnapshot, TrackEpoch, TrackSnapshot } from '../../packager/snapshot.ts';
import type { Found } from './find-media.ts';
import { isLasting } from './media-files.ts';
import { problems } from './problem.ts';

/** Files up to this size are done at once: to hand them to another thread would take as long. */
const smallFile = 64 * 1024;

export type Seal = (bytes: Buffer) => Buffer | Promise<Buffer>;

type Place = { readonly epoch: number; readonly msn: number };

/** A whole file in AES-128: a segment, a part, a key picture. */
export const sealWhole = (sealed: Protected, slot: number): Seal => {
  const { key, iv } = keyOf(sealed, slot);
  return (bytes) => (bytes.length <= smallFile ? aes128(bytes, key, iv) : aes128Elsewhere(bytes, key, iv));
};

const sealInside = (sealed: Protected, slot: number, config: TrackEpoch | null, track: TrackSnapshot): Seal => {
  const { key, iv } = keyOf(sealed, slot);
  return (bytes) => {
    // Only now: what is wrong with them is said of the file, as everything that is wrong with it.
    const headers = track.kind === 'video' && config ? headersOf(config) : null;
    return inTurns(cbcsSteps(bytes, { cipher: new CbcsCipher(key, iv), headers }), setImmediate);
  };
};

const kept = new WeakMap<TrackEpoch, SliceHeaders>();

const headersOf = (config: TrackEpoch): SliceHeaders => {
  let headers = kept.get(config);
  if (!headers) kept.set(config, (headers = readHeaders(config)));
  return headers;
};

const readHeaders = ({ init }: TrackEpoch): SliceHeaders => {
  const { config } = readInit(init);
  try {
    return new SliceHeaders(config);
  } catch (error) {
    if (error instanceof CodecError) throw new ProtectError('unsupported', error.message, { cause: error });
    throw error;
  }
};

/** Init segments that cannot be protected: whoever asks again hears the same error. */
const unfit = new WeakMap<Buffer, Error>();

const sealInit = (init: Buffer, key: MediaKey): Buffer => {
  const known = unfit.get(init);
  if (known) throw known;
  try {
    return cbcsInit(init, key);
  } catch (error) {
    if (isLasting(error)) unfit.set(init, error);
    throw error;
  }
};

const sealOf = (sealed: Protected, track: TrackSnapshot, place: Place): Seal => {
  const slot = slotOf(sealed, place.msn);
  return sealed.scheme === 'cbcs' ? sealInside(sealed, slot, epochOfTrack(track, place.epoch), track) : sealWhole(sealed, slot);
};

/** Each is kept, so there must not be more of them than are listed. */
const isInitSlot = (sealed: Protected, snapshot: PresentationSnapshot, track: TrackSnapshot, epoch: number, slot: number): boolean => {
  const slots = initSlots(sealed, snapshot, track, epoch);
  return slots !== null && slot >= slots.first && slot <= slots.last;
};

/** The key that a file needs, if it may be there at all. Null: none. */
export const slotsOfMedia = (sealed: Protected, snapshot: PresentationSnapshot, track: TrackSnapshot | null, name: MediaName): Slots | null => {
  if (!track || !isProtected(track)) return null;
  const all = slotsOf(sealed, snapshot);
  if (name.kind === 'init') {
    const { slot } = name;
    return sealed.scheme === 'cbcs' && slot !== null && isInitSlot(sealed, snapshot, track, name.epoch, slot) ? onlySlot(all, slot) : null;
  }
  const slot = slotOf(sealed, name.msn);
  return slot >= all.first && slot <= all.last ? onlySlot(all, slot) : null;
};

/** What has been found of a file, with what remains to be done to it. */
export const sealedMedia = (found: Found, sealed: Protected, snapshot: PresentationSnapshot, track: TrackSnapshot, name: MediaName): Found => {
  if (!isProtected(track)) return found;
  if (name.kind === 'init') {
    // In AES-128 it stays clear.
    if (found.kind !== 'bytes' || sealed.scheme !== 'cbcs') return found;
    if (name.slot === null || !isInitSlot(sealed, snapshot, track, name.epoch, name.slot)) return { kind: 'problem', problem: problems.unknown };
    return { ...found, bytes: sealInit(found.bytes, keyOf(sealed, name.slot)) };
  }
  if (found.kind !== 'log' && found.kind !== 'open') return found;
  // Until all of it is there nobody can encrypt it as a whole.
  if (found.kind === 'open' && sealed.scheme === 'aes-128') return { kind: 'problem', problem: problems.notYet };
  const epoch = (segmentByMsn(track, name.msn) ?? track.open)?.epoch ?? 0;
  const seal = sealOf(sealed, track, { epoch, msn: name.msn });
  if (found.kind === 'open') return { ...found, seal };
  const { made } = found;
  // Kept at once, and not when it is asked for again as what costs a read alone: it is made once.
  return { ...found, eager: true, made: made ? async (fragments) => seal(await made(fragments)) : seal };
};
