/**
 * The bodies of audio and video messages (Adobe FLV 10.1, annex E.4.2 and E.4.3; Enhanced RTMP 2): bytes in, what
 * they carry out. Data is never copied. Enhanced headers are recognised and named.
 */
import { RtmpError } from './errors.ts';

export type MediaTag =
  | { readonly kind: 'config'; readonly config: Buffer }
  | {
      readonly kind: 'frame';
      readonly key: boolean;
      /** pts - dts, ms, signed. */ readonly offset: number;
      readonly data: Buffer;
    }
  /** Empty packets, ends of sequences, player commands: nothing for the core. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unsupported'; readonly codec: string };

const nothing: MediaTag = { kind: 'nothing' };

const avc = 7;
const keyFrame = 1;
const playerCommand = 5;
const videoNames: Readonly<Record<number, string>> = {
  2: 'Sorenson H.263',
  3: 'Screen video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen video 2',
  12: 'HEVC in an old private form',
};

export const readVideoTag = (body: Buffer): MediaTag => {
  const first = body[0];
  if (first === undefined) return nothing;
  if (first & 0x80) return enhanced(body);
  const frameType = first >> 4;
  // A player command (seek of a server) has no picture whatever the codec field says.
  if (frameType === playerCommand) return nothing;
  const codec = first & 0x0f;
  if (codec !== avc) return { kind: 'unsupported', codec: videoNames[codec] ?? `video codec ${codec}` };
  if (body.length <= 5) return nothing;
  const data = body.subarray(5);
  switch (body[1]) {
    case 0:
      return { kind: 'config', config: data };
    case 1:
      return { kind: 'frame', key: frameType === keyFrame, offset: body.readIntBE(2, 3), data };
    default:
      return nothing;
  }
};

const aac = 10;
const enhancedAudio = 9;
const audioNames: Readonly<Record<number, string>> = {
  0: 'PCM',
  1: 'ADPCM',
  2: 'MP3',
  3: 'PCM',
  4: 'Nellymoser',
  5: 'Nellymoser',
  6: 'Nellymoser',
  7: 'G.711 A-law',
  8: 'G.711 mu-law',
  11: 'Speex',
  13: 'Opus in an old private form',
  14: 'MP3 8 kHz',
};

export const readAudioTag = (body: Buffer): MediaTag => {
  const first = body[0];
  if (first === undefined) return nothing;
  const format = first >> 4;
  if (format === enhancedAudio) return enhanced(body);
  if (format !== aac) return { kind: 'unsupported', codec: audioNames[format] ?? `audio format ${format}` };
  if (body.length <= 2) return nothing;
  const data = body.subarray(2);
  switch (body[1]) {
    case 0:
      return { kind: 'config', config: data };
    case 1:
      return { kind: 'frame', key: true, offset: 0, data };
    default:
      return nothing;
  }
};

const enhanced = (body: Buffer): MediaTag => {
  const fourCc = body.toString('latin1', 1, 5);
  return {
    kind: 'unsupported',
    codec: /^[A-Za-z0-9.-]{4}$/.test(fourCc) ? `${fourCc} (Enhanced RTMP)` : 'Enhanced RTMP',
  };
};

/** AVCDecoderConfigurationRecord, ISO 14496-15 5.3.3.1.2. */
export type AvcLengths = {
  /** Bytes before each NAL unit. */
  readonly lengthSize: number;
  /** The record as it reads once every length has four bytes. */
  readonly config: Buffer;
};

export const avcLengths = (config: Buffer): AvcLengths => {
  const sizes = config[4];
  // Version 1, profile, two more, length size, number of SPS and the length of the first at the least.
  if (config[0] !== 1 || sizes === undefined || config.length < 7) throw new RtmpError('avc-config');
  const lengthSize = (sizes & 3) + 1;
  if (lengthSize === 4) return { lengthSize, config };
  const rewritten = Buffer.from(config);
  rewritten[4] = sizes | 3;
  return { lengthSize, config: rewritten };
};

/** The same NAL units, each behind a length of four bytes. */
export const withFourByteLengths = (data: Buffer, lengthSize: number): Buffer => {
  if (lengthSize === 4) return data;
  const units: Buffer[] = [];
  let size = 0;
  for (let at = 0; at < data.length;) {
    if (data.length - at < lengthSize) throw new RtmpError('avc-lengths');
    const length = data.readUIntBE(at, lengthSize);
    at += lengthSize;
    if (data.length - at < length) throw new RtmpError('avc-lengths');
    units.push(data.subarray(at, at + length));
    at += length;
    size += 4 + length;
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const unit of units) {
    at = out.writeUInt32BE(unit.length, at);
    at += unit.copy(out, at);
  }
  return out;
};
