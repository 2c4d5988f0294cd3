/**
 * Opus: its head as Ogg and Enhanced RTMP send it (RFC 7845, 5.1), the same as an MP4 has it (`dOps`, Encapsulation of
 * Opus in ISOBMFF, 4.3.2), and how long a packet lasts (RFC 6716, 3.1).
 *
 *     OpusHead   "OpusHead" 1 | channels | pre-skip | rate | gain | family | mapping     little-endian
 *     dOps                  0 | channels | pre-skip | rate | gain | family | mapping     big-endian
 *
 * Whatever went into the encoder, packets count in 48 kHz.
 */
import { CodecError } from './codec-error.ts';

export const opusRate = 48_000;

export type OpusConfig = {
  readonly channels: number;
  /** Samples at the beginning that are not to be heard. */
  readonly preSkip: number;
  /** Streams in each packet, and how many of them are of two channels. */
  readonly streams: number;
  readonly coupled: number;
};

const magic = Buffer.from('OpusHead', 'latin1');
const headSize = 11;

/** `dOps` of an OpusHead. */
export const opusConfigOf = (head: Buffer): Buffer => {
  if (!magic.equals(head.subarray(0, magic.length))) throw new CodecError('invalid', 'this is no OpusHead');
  const body = head.subarray(magic.length);
  if (body.length < headSize) throw new CodecError('truncated', `OpusHead has only ${head.length} bytes`);
  // RFC 7845, 5.1: versions up to 15 can be read by who knows 1.
  if ((body[0] ?? 0) > 15) throw new CodecError('unsupported', `OpusHead has version ${body[0]}`);
  const channels = body[1] ?? 0;
  const family = body[10] ?? 0;
  const out = Buffer.from(body.subarray(0, family === 0 ? headSize : headSize + 2 + channels));
  out[0] = 0;
  out.writeUInt16BE(body.readUInt16LE(2), 2);
  out.writeUInt32BE(body.readUInt32LE(4), 4);
  out.writeUInt16BE(body.readUInt16LE(8), 8);
  parseOpusConfig(out); // throws for what it cannot be
  return out;
};

/** An OpusHead of `dOps`, for whoever decodes it apart from an MP4. */
export const opusHeadOf = (config: Buffer): Buffer => {
  const { channels, preSkip } = parseOpusConfig(config);
  const body = Buffer.from(config);
  body[0] = 1;
  body[1] = channels;
  body.writeUInt16LE(preSkip, 2);
  body.writeUInt32LE(config.readUInt32BE(4), 4);
  body.writeUInt16LE(config.readUInt16BE(8), 8);
  return Buffer.concat([magic, body]);
};

/** RFC 7845, 5.1.1.2: how channels in Vorbis order lie in streams, and which of these are pairs. */
const surround: readonly { readonly streams: number; readonly coupled: number; readonly mapping: readonly number[] }[] = [
  { streams: 1, coupled: 0, mapping: [0] },
  { streams: 1, coupled: 1, mapping: [0, 1] },
  { streams: 2, coupled: 1, mapping: [0, 2, 1] },
  { streams: 2, coupled: 2, mapping: [0, 1, 2, 3] },
  { streams: 3, coupled: 2, mapping: [0, 4, 1, 2, 3] },
  { streams: 4, coupled: 2, mapping: [0, 4, 1, 2, 3, 5] },
  { streams: 4, coupled: 3, mapping: [0, 4, 1, 2, 3, 5, 6] },
  { streams: 5, coupled: 3, mapping: [0, 6, 1, 2, 3, 4, 5, 7] },
];

/** `dOps` for so many channels in the usual order, where nothing else is known. Throws CodecError. */
export const surroundOpusConfig = (channels: number): Buffer => {
  const layout = surround[channels - 1];
  if (!layout) throw new CodecError('unsupported', `Opus: ${channels} channels`);
  const head = Buffer.alloc(headSize);
  head[1] = channels;
  head.writeUInt32BE(opusRate, 4);
  if (channels <= 2) return head;
  head[10] = 1;
  return Buffer.concat([head, Buffer.from([layout.streams, layout.coupled, ...layout.mapping])]);
};

export const parseOpusConfig = (config: Buffer): OpusConfig => {
  if (config.length < headSize) throw new CodecError('truncated', `dOps has only ${config.length} bytes`);
  if (config[0] !== 0) throw new CodecError('unsupported', `dOps has version ${config[0]}`);
  const channels = config[1] ?? 0;
  const preSkip = config.readUInt16BE(2);
  if (config[10] === 0) {
    if (channels < 1 || channels > 2) throw new CodecError('invalid', `Opus: ${channels} channels without a mapping`);
    return { channels, preSkip, streams: 1, coupled: channels - 1 };
  }
  // Family 1 is the order of Vorbis: up to eight channels. The others are for ambisonics and for whoever made them up.
  if (config[10] !== 1) throw new CodecError('unsupported', `Opus: channel mapping family ${config[10]}`);
  if (config.length !== headSize + 2 + channels) throw new CodecError('truncated', 'Opus: the channel mapping is cut short');
  const [streams = 0, coupled = 0] = config.subarray(headSize);
  if (channels < 1 || channels > 8 || streams < 1 || coupled > streams || streams + coupled > 255) {
    throw new CodecError('invalid', `Opus: ${channels} channels out of ${streams} streams, ${coupled} of them coupled`);
  }
  return { channels, preSkip, streams, coupled };
};

/** Samples (48 kHz) of one frame, by the upper five bits of a packet (RFC 6716, table 2). */
const frameSamples = (configuration: number): number => {
  if (configuration < 12) return [480, 960, 1920, 2880][configuration & 3] ?? 0;
  if (configuration < 16) return configuration & 1 ? 960 : 480;
  return 120 << (configuration & 3);
};

/** RFC 6716, 3.2.5: a packet lasts at most 120 ms. */
const longestPacket = 5760;

/** How long a packet lasts, in samples. Its first stream speaks for all. */
export const opusSamples = (packet: Buffer): number => {
  const [toc, counted = 0] = packet;
  if (toc === undefined) throw new CodecError('truncated', 'an empty packet of Opus');
  const code = toc & 3;
  if (code === 3 && packet.length < 2) throw new CodecError('truncated', 'a packet of Opus ends before its number of frames');
  const frames = code === 0 ? 1 : code === 3 ? counted & 0x3f : 2;
  const samples = frames * frameSamples(toc >> 3);
  if (samples === 0 || samples > longestPacket) throw new CodecError('invalid', `a packet of Opus with ${frames} frames`);
  return samples;
};

/** Of `silentOpusPacket`. */
export const silentOpusSamples = 960;
/** CELT, full band, 20 ms, one frame; then a frame that says of itself that it is silent (RFC 6716, 4.3). */
const silent = { single: 0xf8, pair: 0xfc, frame: Buffer.from([0xff, 0xfe]) } as const;

/** Each stream but the last is self-delimited (RFC 6716, appendix B): the length of its frame stands behind its first byte. */
export const silentOpusPacket = ({ streams, coupled }: OpusConfig): Buffer => {
  const parts: Buffer[] = [];
  for (let stream = 0; stream < streams; stream += 1) {
    const toc = stream < coupled ? silent.pair : silent.single;
    parts.push(Buffer.from(stream === streams - 1 ? [toc] : [toc, silent.frame.length]), silent.frame);
  }
  return Buffer.concat(parts);
};
