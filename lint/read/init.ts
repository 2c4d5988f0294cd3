/** The init segment of one track (CMAF header, ISO 23000-19, 7.3.2.1), as far as the rules ask. */
import { boxesOf, child, children, Fields, Malformed, type Box } from './boxes.ts';

export type Init = {
  readonly trackId: number;
  readonly handler: string;
  readonly timescale: number;
  readonly sampleEntry: string;
  /** RFC 6381, from the decoder's own configuration; null: a codec that is not known here. */
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  /** What an edit list takes off every presentation time, in ticks. */
  readonly mediaStart: number;
  readonly defaults: { readonly duration: number; readonly size: number; readonly flags: number };
};

export type ReadInit = { readonly init: Init | null; readonly complaint: 'boxes' | 'tracks' | null; readonly says: string };

export const readInit = (bytes: Buffer): ReadInit => {
  try {
    const boxes = boxesOf(bytes);
    const moov = boxes.find(({ type }) => type === 'moov');
    if (boxes[0]?.type !== 'ftyp') return refused('boxes', 'the init segment does not begin with ftyp');
    if (!moov) return refused('boxes', 'there is no moov in the init segment');
    const traks = children(moov, 'trak');
    if (traks.length !== 1 || !traks[0]) return refused('tracks', `${traks.length} tracks in the init segment`);
    return { init: readTrack(traks[0], child(child(moov, 'mvex'), 'trex')), complaint: null, says: '' };
  } catch (error) {
    if (error instanceof Malformed) return refused('boxes', error.message);
    throw error;
  }
};

const refused = (complaint: 'boxes' | 'tracks', says: string): ReadInit => ({ init: null, complaint, says });

const readTrack = (trak: Box, trex: Box): Init => {
  const mdia = child(trak, 'mdia');
  const header = new Fields(child(mdia, 'mdhd'));
  const long = header.u8() === 1;
  const timescale = header.skip(3 + (long ? 16 : 8)).u32();
  if (timescale === 0) throw new Malformed('a time scale of 0');
  const handler = new Fields(child(mdia, 'hdlr')).skip(8).text(4);
  const stbl = child(child(mdia, 'minf'), 'stbl');
  const descriptions = new Fields(child(stbl, 'stsd'));
  descriptions.skip(8);
  const [entry] = boxesOf(descriptions.rest);
  if (!entry) throw new Malformed('no sample entry');
  const track = new Fields(child(trak, 'tkhd'));
  const trackId = track.skip(track.u8() === 1 ? 19 : 11).u32();
  const extended = new Fields(trex).skip(12);
  const defaults = { duration: extended.u32(), size: extended.u32(), flags: extended.u32() };
  return { trackId, handler, timescale, sampleEntry: entry.type, ...describe(entry, handler), mediaStart: mediaStart(trak), defaults };
};

/** CMAF allows one edit, which takes off the reorder delay (7.5.13). */
const mediaStart = (trak: Box): number => {
  const [edts] = children(trak, 'edts');
  if (!edts) return 0;
  const list = new Fields(child(edts, 'elst'));
  const long = list.u8() === 1;
  const count = list.skip(3).u32();
  if (count === 0) return 0;
  return long ? list.skip(8).i64() : list.skip(4).i32();
};

type Described = Pick<Init, 'codec' | 'width' | 'height'>;

const describe = (entry: Box, handler: string): Described => {
  const fields = new Fields(entry);
  if (handler === 'vide') {
    const width = fields.skip(24).u16();
    const height = fields.u16();
    const inside = boxesOf(fields.skip(50).rest);
    const avcC = inside.find(({ type }) => type === 'avcC');
    return { codec: avcC ? avcCodec(inTheClear(entry.type, inside), avcC) : null, width, height };
  }
  if (handler !== 'soun') return { codec: null, width: null, height: null };
  const esds = boxesOf(fields.skip(28).rest).find(({ type }) => type === 'esds');
  return { codec: esds ? aacCodec(esds) : null, width: null, height: null };
};

/** What the samples are under their cipher (ISO 14496-12, 8.12.2). */
const inTheClear = (type: string, inside: readonly Box[]): string => {
  const protection = type === 'encv' ? inside.find((one) => one.type === 'sinf') : undefined;
  return protection ? new Fields(child(protection, 'frma')).text(4) : type;
};

const avcCodec = (type: string, avcC: Box): string => `${type}.${new Fields(avcC).skip(1).u24().toString(16).padStart(6, '0')}`;

/** ISO 14496-1, 7.2.6: ES descriptor (3) > decoder configuration (4) > AudioSpecificConfig (5). */
const aacCodec = (esds: Box): string => {
  const fields = new Fields(esds).skip(4);
  const descriptor = (tag: number): void => {
    if (fields.u8() !== tag) throw new Malformed(`no descriptor ${tag} in esds`);
    for (let bytes = 0; bytes < 4 && fields.u8() & 0x80; bytes += 1);
  };
  descriptor(3);
  const flags = fields.skip(2).u8();
  if (flags & 0x80) fields.skip(2);
  if (flags & 0x40) fields.skip(fields.u8());
  if (flags & 0x20) fields.skip(2);
  descriptor(4);
  const objectType = fields.u8();
  if (objectType !== 0x40) return `mp4a.${objectType.toString(16).padStart(2, '0')}`;
  fields.skip(12);
  descriptor(5);
  const first = fields.u16();
  const audioType = first >> 11;
  return `mp4a.40.${audioType === 31 ? 32 + ((first >> 5) & 0x3f) : audioType}`;
};
