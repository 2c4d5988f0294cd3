/**
 * What a file is, by its first bytes and never by its name. Only containers of sound and pictures are known: text in any
 * form (playlists, manifests, session descriptions, lists of files to join) is nothing, and so are single images, since
 * programs that read media follow what such files point at.
 */

export type Container = 'mp4' | 'matroska' | 'mpegts' | 'flv' | 'avi' | 'mp3' | 'adts' | 'flac' | 'wav' | 'ogg';

/** So many bytes are enough for a verdict; fewer only where the file is shorter. */
export const sniffBytes = 4096;

const at = (head: Buffer, place: number, text: string): boolean => head.toString('latin1', place, place + text.length) === text;

/** Still images, sequences of them, and camera files, in the same boxes. */
const imageBrands = /^(heic|heix|heim|heis|hevc|hevx|mif1|mif2|miaf|msf1|avif|avis|avio|jp2 |jpx |jpm |jxl |crx )$/;
/** What QuickTime began with before there was ftyp. */
const oldOpenings = new Set(['moov', 'wide', 'free', 'skip', 'pnot']);

const isMp4 = (head: Buffer): boolean => {
  const size = head.readUInt32BE(0);
  const type = head.toString('latin1', 4, 8);
  if (type === 'ftyp') return size >= 16 && size <= 0xffff && !imageBrands.test(head.toString('latin1', 8, 12));
  // The media comes first where a camera wrote as it filmed: its size may be any.
  if (type === 'mdat') return true;
  return oldOpenings.has(type) && (size >= 8 || size === 1) && size < 1 << 29;
};

/** EBML with a document type of its own (RFC 8794, 11.2.4): others than these two are not films. */
const isMatroska = (head: Buffer): boolean => {
  if (head.readUInt32BE(0) !== 0x1a45dfa3) return false;
  const place = head.subarray(0, 96).indexOf('4282', 4, 'hex');
  return place > 0 && /^(matroska|webm)/.test(head.toString('latin1', place + 3, place + 11));
};

/** Packets of 188 bytes, or of 192 with a time stamp ahead of each (Blu-ray, cameras). */
const isTransportStream = (head: Buffer): boolean =>
  [
    { first: 0, step: 188 },
    { first: 4, step: 192 },
  ].some(({ first, step }) => {
    const packets = Math.min(5, Math.floor((head.length - first) / step));
    return packets >= 2 && Array.from({ length: packets }, (_, i) => head[first + i * step]).every((byte) => byte === 0x47);
  });

const isFlv = (head: Buffer): boolean => at(head, 0, 'FLV\x01') && ((head[4] ?? 0xff) & 0xfa) === 0 && head.length >= 9 && head.readUInt32BE(5) === 9;

/** ISO 11172-3, 2.4.2.3: bit rates of MPEG-1 layers I to III, and of MPEG-2 layer I, then II and III; kbit/s. */
const bitRates = [
  [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
]; // prettier-ignore
const sampleRates = [44_100, 48_000, 32_000];

/** Bytes of the frame of MPEG audio that begins here; 0: there is none. */
const mpegAudioFrame = (head: Buffer, place: number): number => {
  if (place + 4 > head.length || head[place] !== 0xff) return 0;
  const [second = 0, third = 0] = [head[place + 1], head[place + 2]];
  const version = (second >> 3) & 3; // 3 MPEG-1, 2 MPEG-2, 0 MPEG-2.5
  const layer = 4 - ((second >> 1) & 3); // 4 is reserved: ADTS has it
  const rate = third >> 4;
  const sampling = sampleRates[(third >> 2) & 3];
  if ((second & 0xe0) !== 0xe0 || version === 1 || layer === 4 || rate === 0 || rate === 15 || !sampling) return 0;
  const kilobits = bitRates[version === 3 ? layer - 1 : layer === 1 ? 3 : 4]?.[rate - 1] ?? 0;
  const hertz = sampling >> (version === 3 ? 0 : version === 2 ? 1 : 2);
  const padding = (third >> 1) & 1;
  if (layer === 1) return (Math.floor((12_000 * kilobits) / hertz) + padding) * 4;
  return Math.floor(((layer === 3 && version !== 3 ? 72_000 : 144_000) * kilobits) / hertz) + padding;
};

/** Bytes of the ADTS frame that begins here (ISO 13818-7, 6.2); 0: there is none. */
const adtsFrame = (head: Buffer, place: number): number => {
  if (place + 7 > head.length || head[place] !== 0xff || ((head[place + 1] ?? 0) & 0xf6) !== 0xf0) return 0;
  if ((((head[place + 2] ?? 0) >> 2) & 15) > 12) return 0;
  const length = ((head.readUInt32BE(place + 3) >>> 13) & 0x1fff);
  return length > 7 ? length : 0;
};

/** A frame, and the next one where it ends: two bytes of a header alone are found in anything. */
const twice = (frame: (head: Buffer, place: number) => number, head: Buffer, place: number): boolean => {
  const length = frame(head, place);
  return length > 0 && (place + length === head.length || frame(head, place + length) > 0);
};

/** Bytes of an ID3v2 tag with its header (and its footer); 0: there is none. */
const id3Size = (head: Buffer): number => {
  if (head.length < 10 || !at(head, 0, 'ID3') || (head[3] ?? 9) > 4) return 0;
  const digits = [...head.subarray(6, 10)];
  if (digits.some((digit) => digit > 0x7f)) return 0;
  return 10 + digits.reduce((sum, digit) => sum * 128 + digit, 0) + ((head[5] ?? 0) & 0x10 ? 10 : 0);
};

const elementarySound = (head: Buffer): Container | null => {
  const tag = id3Size(head);
  // Behind a picture of the album that does not end here; nothing but MP3 is carried like this in practice.
  if (tag > head.length - 4) return 'mp3';
  if (twice(mpegAudioFrame, head, tag)) return 'mp3';
  return twice(adtsFrame, head, tag) ? 'adts' : null;
};

/** Null: nothing that is taken. */
export const sniff = (head: Buffer): Container | null => {
  if (head.length < 12) return null;
  if (isMp4(head)) return 'mp4';
  if (isMatroska(head)) return 'matroska';
  if (at(head, 0, 'RIFF') && at(head, 8, 'AVI ')) return 'avi';
  if (/^(RIFF|RF64|BW64)$/.test(head.toString('latin1', 0, 4)) && at(head, 8, 'WAVE')) return 'wav';
  if (at(head, 0, 'fLaC')) return 'flac';
  if (at(head, 0, 'OggS\0')) return 'ogg';
  if (isFlv(head)) return 'flv';
  if (isTransportStream(head)) return 'mpegts';
  return elementarySound(head);
};
