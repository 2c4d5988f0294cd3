/**
 * One stream of pictures or of sound as NUT, for ffmpeg to read from a pipe. Version 4 in its pipe mode: one syncpoint at the beginning, since
 * a reader keeps something of each in memory, and a channel may be on for weeks. Every frame says its whole time and a
 * checksum, so nothing depends on the one before it.
 */
import { crc32 } from '../media/crc32.ts';
import type { AudioCodec, VideoCodec } from '../media/unit.ts';
import { fileId, frameFlag, NutError, pipeMode, shortLength, startCodes, streamClass, varint, type PacketKind } from './nut.ts';

export type NutStream = {
  readonly codec: VideoCodec;
  /** What the MP4 box holds (`VideoConfig.config`): samples have their lengths as they have there. */
  readonly config: Buffer;
  readonly width: number;
  readonly height: number;
  /** Ticks a second of every `pts`. */
  readonly timescale: number;
  /** Pictures that a decoder has to hold back to show them in order: it does not guess, and drops none while it does. */
  readonly reorder: number;
};

export type NutSound = {
  readonly codec: AudioCodec;
  /** As the decoder wants it: an OpusHead, an AudioSpecificConfig. */
  readonly config: Buffer;
  readonly sampleRate: number;
  readonly channels: number;
  readonly timescale: number;
};

/** By these ffmpeg knows the codec. AAC has the number that RIFF gave it. */
const fourccs: Readonly<Record<VideoCodec | AudioCodec, string>> = { h264: 'H264', hevc: 'HEVC', av1: 'AV01', vp9: 'VP90', opus: 'Opus', aac: '\xff\0\0\0' };
const version = 4;
const minorVersion = 0;
/** Codes 1 to 254, without the `N` among them: each frame says its flags itself. */
const usedCodes = 253;
const frameCode = 1;
/** A time is written whole when 2^7 is added to it. */
const shortTimeBits = 7;
const wholeTime = 2 ** shortTimeBits;
const mostDistance = 65_536;

/** Everything ahead of the first frame; `firstPts` is its time, or an earlier one. */
export const nutHead = (stream: NutStream | NutSound, firstPts: number): Buffer => {
  const { codec, config, timescale } = stream;
  const isSound = 'channels' in stream;
  const main = [
    ...[version, minorVersion, 1, mostDistance, 1, 1, timescale].map(varint),
    ...runOfCodes(frameFlag.invalid, 1),
    ...runOfCodes(frameFlag.coded, usedCodes),
    ...runOfCodes(frameFlag.invalid, 1),
    ...[0, pipeMode].map(varint), // no parts of frames here
  ];
  const body = [
    ...[0, isSound ? streamClass.sound : streamClass.video, 4].map(varint), // number 0, four characters
    Buffer.from(fourccs[codec], 'latin1'),
    ...[0, shortTimeBits, timescale, 'reorder' in stream ? stream.reorder : 0, 0].map(varint),
    varint(config.length),
    config,
    // Of pictures nothing of the shape of their pixels, and nothing of colour.
    ...('channels' in stream ? [stream.sampleRate, 1, stream.channels] : [stream.width, stream.height, 0, 0, 0]).map(varint),
  ];
  return Buffer.concat([fileId, packet('main', main), packet('stream', body), packet('syncpoint', [varint(firstPts), varint(0)])]);
};

/** What goes ahead of the picture's own bytes. */
export const nutFrameHead = (pts: number, key: boolean, size: number): Buffer => {
  if (pts < 0) throw new NutError('invalid', `a picture at ${pts}`);
  const flags = frameFlag.codedPts | frameFlag.size | frameFlag.checksum | (key ? frameFlag.key : 0);
  const head = Buffer.concat([Buffer.from([frameCode]), varint(flags), varint(pts + wholeTime), varint(size)]);
  return Buffer.concat([head, checksum(head)]);
};

/** flags, and six fields: pts 0, size × 1 of stream 0, + 0, nothing reserved, `count` codes. */
const runOfCodes = (flags: number, count: number): Buffer[] => [flags, 6, 0, 1, 0, 0, 0, count].map(varint);

const packet = (kind: PacketKind, body: readonly Buffer[]): Buffer => {
  const bytes = Buffer.concat(body);
  const length = bytes.length + 4;
  const head = Buffer.concat([startCodes[kind], varint(length)]);
  return Buffer.concat([head, ...(length > shortLength ? [checksum(head)] : []), bytes, checksum(bytes)]);
};

const checksum = (bytes: Buffer): Buffer => {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32(bytes, 0));
  return four;
};
