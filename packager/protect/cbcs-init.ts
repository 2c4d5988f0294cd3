/** The init segment of a track in `cbcs`: what the samples are under their cipher (ISO 14496-12, 8.12; ISO 23001-7, 8.2). */
import { ascii, box, encode, fullBox, u32, u8, type Box, type Part } from '../cmaf/box.ts';
import { boxes, children, type BoxView } from '../cmaf/box-reader.ts';
import type { MediaKey } from './keys.ts';
import { ProtectError } from './protect-error.ts';
import type { KeySignal } from './signals.ts';

export type CbcsKey = Pick<MediaKey, 'kid' | 'iv' | 'signals'>;

type EntryKind = { readonly name: 'encv' | 'enca'; /** Of one block in ten; of sound every block. */ readonly pattern: number; };

const entries: Readonly<Record<string, EntryKind>> = {
  avc1: { name: 'encv', pattern: 0x19 },
  mp4a: { name: 'enca', pattern: 0x00 },
};

/** Whether the media of this sample entry can be protected so. */
export const takesCbcs = (codec: string): boolean => codec === 'h264' || codec === 'aac';

/** Throws ProtectError for media that is neither H.264 nor AAC. */
export const cbcsInit = (init: Buffer, key: CbcsKey): Buffer =>
  Buffer.concat(boxes(init).map((one) => (one.type === 'moov' ? encode(movie(init, one, key)) : init.subarray(one.at, one.end))));

const path = ['trak', 'mdia', 'minf', 'stbl', 'stsd'];

const movie = (init: Buffer, moov: BoxView, key: CbcsKey): Box => box('moov', [...inner(init, moov, path, key), ...key.signals.flatMap((signal) => boxOf(signal, key.kid))]);

/** The children of a box, with the one that leads to the sample entry made anew. */
const inner = (init: Buffer, parent: BoxView, [next, ...rest]: readonly string[], key: CbcsKey): Part[] =>
  children(init, parent).map((one) => {
    if (one.type !== next) return init.subarray(one.at, one.end);
    return rest.length > 0 ? box(one.type, inner(init, one, rest, key)) : descriptions(init, one, key);
  });

const descriptions = (init: Buffer, stsd: BoxView, key: CbcsKey): Box => {
  // Version and flags, and the number of entries, in front of them.
  const head = init.subarray(stsd.body, stsd.body + 8);
  const [entry, more] = boxes(init, stsd.body + 8, stsd.end);
  const kind = entry && entries[entry.type];
  if (!entry || !kind || more) throw new ProtectError('unsupported', `${entry?.type ?? 'nothing'} cannot be protected by cbcs`);
  const sinf = box('sinf', [
    box('frma', [ascii(entry.type)]),
    fullBox('schm', 0, 0, [ascii('cbcs'), u32(0x0001_0000)]),
    // Version 1 for the pattern; Safari refuses version 0.
    box('schi', [fullBox('tenc', 1, 0, [u8(0), u8(kind.pattern), u8(1), u8(0), key.kid, u8(16), key.iv])]),
  ]);
  return box('stsd', [head, box(kind.name, [init.subarray(entry.body, entry.end), sinf])]);
};

/** What the browsers' ClearKey is asked by: the common system of W3C, version 1, with the ids of the keys. */
const commonSystem = Buffer.from('1077efecc0b24d02ace33c1e52e2fb4b', 'hex');

const commonPssh = (kid: Buffer): Box => fullBox('pssh', 1, 0, [commonSystem, u32(1), kid, u32(0)]);

const boxOf = (signal: KeySignal, kid: Buffer): Part[] => (signal.by === 'server' ? [commonPssh(kid)] : signal.pssh ? [signal.pssh] : []);
