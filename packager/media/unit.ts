/**
 * The one type that crosses the core: an access unit (a picture, or a frame of sound) as it came off the
 * wire. Protocol edges make them, everything behind the edges takes them, and nothing else crosses.
 */

export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp9';
export type AudioCodec = 'aac' | 'opus';
export type TextCodec = 'wvtt';
export type Codec = VideoCodec | AudioCodec | TextCodec;
/** What access units are. */
export type MediaKind = 'video' | 'audio';
/** What a presentation is made of: captions are written, they do not come as access units. */
export type TrackKind = MediaKind | 'text';

/** How the wire counts time: ticks a second, and the bits after which its counter wraps. */
export type WireClock = { readonly timescale: number; readonly bits: number };

/**
 * RTMP: milliseconds in 32 bits (RTMP 1.0, section 3). Senders that keep them in a signed number begin again after 31
 * (FFmpeg does); read modulo 2^31, both turn over without a jump.
 */
export const rtmpClock: WireClock = { timescale: 1000, bits: 31 };

/**
 * A track as its sender announces it. Sent again when the decoder configuration changes. `config` is what an MP4 sample
 * entry carries:
 *
 *     h264   AVCDecoderConfigurationRecord    ISO 14496-15, 5.3.3.1
 *     hevc   HEVCDecoderConfigurationRecord   ISO 14496-15, 8.3.3.1
 *     av1    AV1CodecConfigurationRecord      AV1 in ISOBMFF, 2.3.3
 *     vp9    VPCodecConfigurationRecord       VP Codec ISO Media File Format Binding: behind the version and flags of `vpcC`
 *     aac    AudioSpecificConfig              ISO 14496-3, 1.6.2.1
 *     opus   OpusSpecificBox                  Encapsulation of Opus in ISOBMFF, 4.3.2: the body of `dOps`
 *
 * The record of VP9 does not know how large the pictures are: without a `size`, the first key picture has to say it.
 */
export type VideoConfig = { readonly kind: 'video'; readonly codec: VideoCodec; readonly config: Buffer; readonly size?: PictureSize };
export type AudioConfig = { readonly kind: 'audio'; readonly codec: AudioCodec; readonly config: Buffer };
export type TrackConfig = VideoConfig | AudioConfig;

/** Pixels, as coded, after cropping. */
export type PictureSize = { readonly width: number; readonly height: number };

/** Whether a decoder that knows the one needs nothing new for the other. */
export const sameConfig = (one: TrackConfig, other: TrackConfig): boolean =>
  one.codec === other.codec && one.config.equals(other.config) && sameSize(one, other);

const sameSize = (one: TrackConfig, other: TrackConfig): boolean => {
  const [a, b] = [one, other].map((config) => (config.kind === 'video' ? config.size : undefined));
  return a?.width === b?.width && a?.height === b?.height;
};

/**
 * `dts` and `pts` are the wire's own integers, wrapped as the wire wraps them; `pts` may be less than `dts`.
 * H.264, HEVC: every NAL unit behind a length of four bytes. AV1: a temporal unit of OBUs that say their size. VP9: a
 * frame or a superframe. AAC: one raw frame, no ADTS. Opus: one packet.
 * `data` belongs to the receiver: an edge never reuses the memory.
 */
export type AccessUnit = {
  readonly kind: MediaKind;
  readonly dts: number;
  readonly pts: number;
  readonly key: boolean;
  readonly data: Buffer;
};
