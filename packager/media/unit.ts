/**
 * The one type that crosses the core: an access unit (a picture, or a frame of sound) as it came off the
 * wire. Protocol edges make them, everything behind the edges takes them, and nothing else crosses.
 */

export type VideoCodec = 'h264' | 'hevc';
export type AudioCodec = 'aac';
export type TextCodec = 'wvtt';
export type Codec = VideoCodec | AudioCodec | TextCodec;
/** What access units are. */
export type MediaKind = 'video' | 'audio';
/** What a presentation is made of: captions are written, they do not come as access units. */
export type TrackKind = MediaKind | 'text';

/** How the wire counts time: ticks a second, and the bits after which its counter wraps. */
export type WireClock = { readonly timescale: number; readonly bits: number };

/** RTMP: milliseconds in 32 bits (RTMP 1.0, section 3). */
export const rtmpClock: WireClock = { timescale: 1000, bits: 32 };

/**
 * A track as its sender announces it. Sent again when the decoder configuration changes.
 * `config` is what an MP4 sample entry carries: an AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3.1)
 * or an AudioSpecificConfig (ISO 14496-3, 1.6.2.1).
 */
export type TrackConfig =
  | { readonly kind: 'video'; readonly codec: 'h264'; readonly config: Buffer }
  | { readonly kind: 'audio'; readonly codec: AudioCodec; readonly config: Buffer };

/**
 * `dts` and `pts` are the wire's own integers, wrapped as the wire wraps them; `pts` may be less than `dts`.
 * H.264: every NAL unit behind a length of four bytes. AAC: one raw frame, no ADTS.
 * `data` belongs to the receiver: an edge never reuses the memory.
 */
export type AccessUnit = {
  readonly kind: MediaKind;
  readonly dts: number;
  readonly pts: number;
  readonly key: boolean;
  readonly data: Buffer;
};
