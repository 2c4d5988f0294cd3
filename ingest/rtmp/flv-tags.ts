/**
 * The bodies of audio and video messages (Adobe FLV 10.1, annex E.4.2 and E.4.3): bytes in, what they carry out. Data is
 * never copied. What has a header of Enhanced RTMP is read in `enhanced-tags.ts`.
 */
import type { AudioCodec, VideoCodec } from '../../packager/media/unit.ts';
import { isEnhancedAudio, isEnhancedVideo, readEnhancedAudio, readEnhancedVideo } from './enhanced-tags.ts';

export type MediaTag<Codec> =
  | { readonly kind: 'config'; readonly codec: Codec; readonly config: Buffer }
  | {
      readonly kind: 'frame';
      readonly codec: Codec;
      readonly key: boolean;
      /** pts - dts, ms, signed. */ readonly offset: number;
      readonly data: Buffer;
    }
  /** AMF: the colours of what follows. */
  | { readonly kind: 'metadata'; readonly amf: Buffer }
  /** Empty packets, ends of sequences, player commands: nothing for the core. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unsupported'; readonly codec: string };
export type VideoTag = MediaTag<VideoCodec>;
export type AudioTag = MediaTag<AudioCodec>;

const nothing: MediaTag<never> = { kind: 'nothing' };

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

export const readVideoTag = (body: Buffer): VideoTag => {
  const first = body[0];
  if (first === undefined) return nothing;
  if (isEnhancedVideo(first)) return readEnhancedVideo(body);
  const frameType = first >> 4;
  // A player command (seek of a server) has no picture whatever the codec field says.
  if (frameType === playerCommand) return nothing;
  const codec = first & 0x0f;
  if (codec !== avc) return { kind: 'unsupported', codec: videoNames[codec] ?? `video codec ${codec}` };
  if (body.length <= 5) return nothing;
  const data = body.subarray(5);
  switch (body[1]) {
    case 0:
      return { kind: 'config', codec: 'h264', config: data };
    case 1:
      return { kind: 'frame', codec: 'h264', key: frameType === keyFrame, offset: body.readIntBE(2, 3), data };
    default:
      return nothing;
  }
};

const aac = 10;
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

export const readAudioTag = (body: Buffer): AudioTag => {
  const first = body[0];
  if (first === undefined) return nothing;
  if (isEnhancedAudio(first)) return readEnhancedAudio(body);
  const format = first >> 4;
  if (format !== aac) return { kind: 'unsupported', codec: audioNames[format] ?? `audio format ${format}` };
  if (body.length <= 2) return nothing;
  const data = body.subarray(2);
  switch (body[1]) {
    case 0:
      return { kind: 'config', codec: 'aac', config: data };
    case 1:
      return { kind: 'frame', codec: 'aac', key: true, offset: 0, data };
    default:
      return nothing;
  }
};
