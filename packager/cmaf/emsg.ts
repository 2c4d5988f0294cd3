/**
 * Event message boxes (ISO 23009-1, 5.10.3.3), version 1: something said at a moment of media time. They lie ahead of
 * the moof of a fragment, so whoever is given the fragment is given them, once, by whatever protocol.
 */
import { ascii, encode, fullBox, u32, u64 } from './box.ts';
import { Cursor, type BoxView } from './box-reader.ts';
import { CmafError } from './cmaf-error.ts';

export const emsgScheme = {
  /** "Carriage of ID3 Timed Metadata in the Common Media Application Format", AOM. */
  id3: 'https://aomedia.org/emsg/ID3',
  /** SCTE 214-3: the section itself. */
  scte35: 'urn:scte:scte35:2013:bin',
} as const;

export type Emsg = {
  readonly scheme: string;
  readonly timescale: number;
  /** Ticks of the media timeline. */
  readonly time: number;
  /** Null: not known. */
  readonly duration: number | null;
  readonly id: number;
  readonly data: Buffer;
};

const unknownDuration = 0xffff_ffff;
const longestText = 256;

export const emsgBox = ({ scheme, timescale, time, duration, id, data }: Emsg): Buffer =>
  encode(
    fullBox('emsg', 1, 0, [
      u32(timescale),
      u64(time),
      u32(duration === null ? unknownDuration : Math.min(duration, unknownDuration - 1)),
      u32(id),
      ascii(`${scheme}\0\0`), // and a value, which neither scheme needs
      data,
    ]),
  );

const text = (bytes: Buffer, cursor: Cursor): string => {
  const end = bytes.indexOf(0, cursor.at);
  const length = end - cursor.at;
  if (end < 0 || length > longestText) throw new CmafError('invalid', 'a text of emsg has no end');
  const found = cursor.bytes(length).toString('latin1');
  cursor.skip(1);
  return found;
};

const readEmsg = (bytes: Buffer, box: BoxView): Emsg | null => {
  const cursor = new Cursor(bytes, box);
  if (cursor.full().version !== 1) return null;
  const timescale = cursor.u32();
  const time = cursor.u64();
  const duration = cursor.u32();
  const id = cursor.u32();
  const scheme = text(bytes, cursor);
  text(bytes, cursor);
  if (timescale === 0) throw new CmafError('invalid', 'emsg has a time scale of 0');
  return { scheme, timescale, time, duration: duration === unknownDuration ? null : duration, id, data: Buffer.from(cursor.bytes(cursor.left)) };
};

/** The boxes ahead of a moof and where that begins; null: the bytes end before it does. */
export const fragmentLead = (bytes: Buffer): { readonly events: readonly Emsg[]; readonly moof: number } | null => {
  const events: Emsg[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'moof') return { events, moof: at };
    if (type !== 'emsg' || size < 8) throw new CmafError('unsupported', `a fragment begins with ${JSON.stringify(type)}`);
    if (at + size > bytes.length) return null;
    const event = readEmsg(bytes, { type, at, body: at + 8, end: at + size });
    if (event) events.push(event);
    at += size;
  }
  return null;
};
