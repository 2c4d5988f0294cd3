/**
 * What an entry of a PMT is to us: media that is taken, metadata that is taken, media that we know and cannot carry
 * (the streamer is told its name), or something that nobody has to hear of.
 */
import type { ElementaryStream } from './tables.ts';

export type StreamKind =
  | { readonly kind: 'h264' | 'hevc' | 'adts' | 'latm' | 'id3' | 'scte35' | 'other' }
  | { readonly kind: 'opus'; readonly channels: number }
  | { readonly kind: 'unsupported'; readonly media: 'video' | 'audio'; readonly codec: string };

const taken: Readonly<Record<number, StreamKind['kind'] & ('h264' | 'hevc' | 'adts' | 'latm' | 'scte35')>> = {
  0x0f: 'adts',
  0x11: 'latm',
  0x1b: 'h264',
  0x24: 'hevc',
  0x86: 'scte35', // SCTE 35, 8.1
};

/** ISO 13818-1, table 2-34, and ATSC A/53 part 3 for those from 0x80 on. */
const video: Readonly<Record<number, string>> = {
  0x01: 'MPEG-1 video',
  0x02: 'MPEG-2 video',
  0x10: 'MPEG-4 Visual',
  0x33: 'VVC',
  0xea: 'VC-1',
};
const audio: Readonly<Record<number, string>> = {
  0x03: 'MP3',
  0x04: 'MP3',
  0x81: 'AC-3',
  0x82: 'DTS',
  0x87: 'E-AC-3',
};

/** registration_descriptor (2.6.8), as private streams name themselves. */
const registered: Readonly<Record<string, StreamKind>> = {
  'AC-3': { kind: 'unsupported', media: 'audio', codec: 'AC-3' },
  'EAC3': { kind: 'unsupported', media: 'audio', codec: 'E-AC-3' },
  'HEVC': { kind: 'hevc' },
  'AV01': { kind: 'unsupported', media: 'video', codec: 'AV1' },
  'VP09': { kind: 'unsupported', media: 'video', codec: 'VP9' },
  'CUEI': { kind: 'other' }, // it says so of the programme, and the stream has a type of its own
};

const tag = { registration: 0x05, metadata: 0x26, ac3: 0x6a, eac3: 0x7a, extension: 0x7f } as const;
/** In an extension descriptor: how many channels Opus has. */
const opusExtension = 0x80;
const privatePes = 0x06;
const metadataPes = 0x15;

export const kindOf = ({ type, descriptors }: ElementaryStream): StreamKind => {
  const known = taken[type];
  if (known) return { kind: known };
  const picture = video[type];
  if (picture !== undefined) return { kind: 'unsupported', media: 'video', codec: picture };
  const sound = audio[type];
  if (sound !== undefined) return { kind: 'unsupported', media: 'audio', codec: sound };
  if (type !== privatePes && type !== metadataPes) return { kind: 'other' };
  for (const [name, body] of eachDescriptor(descriptors)) {
    if (name === tag.metadata && isId3(body)) return { kind: 'id3' };
    if (name === tag.ac3) return { kind: 'unsupported', media: 'audio', codec: 'AC-3' };
    if (name === tag.eac3) return { kind: 'unsupported', media: 'audio', codec: 'E-AC-3' };
    if (name === tag.registration && type === privatePes) {
      const identifier = body.toString('latin1', 0, 4);
      return identifier === 'Opus' ? opusOf(descriptors) : (registered[identifier] ?? { kind: 'other' });
    }
  }
  return { kind: 'other' };
};

/** Opus in MPEG-TS (opus-codec.org, ETSI_TS_opus draft 0.1.3): 1 to 8 channels are in Vorbis order, and anything else nobody sends. */
const opusOf = (descriptors: Buffer): StreamKind => {
  for (const [name, body] of eachDescriptor(descriptors)) {
    const [extension, channels = 0] = body;
    if (name === tag.extension && extension === opusExtension && channels >= 1 && channels <= 8) return { kind: 'opus', channels };
  }
  return { kind: 'unsupported', media: 'audio', codec: 'Opus with channels in an order of its own' };
};

/** metadata_descriptor (2.6.60): an application format, and then a metadata format, "ID3 " by its identifier. */
const isId3 = (body: Buffer): boolean => {
  if (body.length < 7) return false;
  const at = body.readUInt16BE(0) === 0xffff ? 6 : 2;
  return body[at] === 0xff && body.toString('latin1', at + 1, at + 5) === 'ID3 ';
};

function* eachDescriptor(descriptors: Buffer): Generator<[number, Buffer]> {
  for (let at = 0; at + 2 <= descriptors.length; ) {
    const next = at + 2 + (descriptors[at + 1] ?? 0);
    if (next > descriptors.length) return;
    yield [descriptors[at] ?? 0, descriptors.subarray(at + 2, next)];
    at = next;
  }
}
