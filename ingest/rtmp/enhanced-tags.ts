/**
 * Bodies of audio and video messages with a header of Enhanced RTMP 2 ("Enhanced Video", "Enhanced Audio"):
 *
 *     first byte ─ ModEx: size, data, next type ─┬─ FourCC ─ body                                     one track
 *                  (any number of them, skipped)  ├─ multitrack: FourCC, then for each track id, size, body
 *                                                 └─ a FourCC for each track
 *
 * Of several tracks the one with id 0 is taken: the others are for servers that re-encode, or record a second sound.
 * What a later version of the specification may add is nothing.
 */
import type { AudioCodec, VideoCodec } from '../../packager/media/unit.ts';
import { RtmpError } from './errors.ts';
import type { AudioTag, MediaTag, VideoTag } from './flv-tags.ts';

export const isEnhancedVideo = (first: number): boolean => (first & 0x80) !== 0;
/** In the place of a format of sound. */
export const isEnhancedAudio = (first: number): boolean => first >> 4 === 9;

/** What is carried, by its name on the wire: what is announced to senders, and what is read. */
export const videoFourCcs = { avc1: 'h264', hvc1: 'hevc', av01: 'av1', vp09: 'vp9' } as const satisfies Record<string, VideoCodec>;
export const audioFourCcs = { mp4a: 'aac', Opus: 'opus' } as const satisfies Record<string, AudioCodec>;

const packet = { sequenceStart: 0, frames: 1, sequenceEnd: 2, framesWithoutOffset: 3, metadata: 4, transportSequenceStart: 5 } as const;
const videoMultitrack = 6;
const audioMultitrack = 5;
const modEx = 7;
const keyFrame = 1;
const playerCommand = 5;
const multitrack = { one: 0, many: 1, manyCodecs: 2 } as const;

const nothing: MediaTag<never> = { kind: 'nothing' };

/** Where reading is. Whatever ends inside its header is refused. */
class Head {
  readonly #body: Buffer;
  #at = 1;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get left(): number {
    return this.#body.length - this.#at;
  }

  uint(bytes: 1 | 2 | 3): number {
    this.skip(bytes);
    return this.#body.readUIntBE(this.#at - bytes, bytes);
  }

  fourCc(): string {
    this.skip(4);
    return this.#body.toString('latin1', this.#at - 4, this.#at);
  }

  skip(bytes: number): void {
    if (bytes > this.left) throw new RtmpError('enhanced-header');
    this.#at += bytes;
  }

  take(bytes: number): Buffer {
    this.skip(bytes);
    return this.#body.subarray(this.#at - bytes, this.#at);
  }
}

/** The type of the packet behind all modifiers. None of them changes what is carried: a time in nanoseconds, and what will be invented. */
const behindModifiers = (head: Head, first: number): number => {
  let type = first & 0x0f;
  while (type === modEx) {
    const size = head.uint(1) + 1;
    head.skip(size === 256 ? head.uint(2) + 1 : size);
    type = head.uint(1) & 0x0f;
  }
  return type;
};

type Track = { readonly type: number; readonly fourCc: string; readonly body: Buffer };

const firstTrack = (head: Head, type: number, multitrackType: number): Track | null => {
  if (type !== multitrackType) return { type, fourCc: head.fourCc(), body: head.take(head.left) };
  const both = head.uint(1);
  const form = both >> 4;
  if (form > multitrack.manyCodecs) return null;
  let fourCc = form === multitrack.manyCodecs ? '' : head.fourCc();
  // Each costs four bytes at the least, so the length of the message bounds them.
  while (head.left > 0) {
    if (form === multitrack.manyCodecs) fourCc = head.fourCc();
    const id = head.uint(1);
    const body = head.take(form === multitrack.one ? head.left : head.uint(3));
    if (id === 0) return { type: both & 0x0f, fourCc, body };
  }
  return null;
};

/** Shown to people and written to logs: four letters, or nothing of it. */
const unsupported = (fourCc: string, what = ''): MediaTag<never> => ({
  kind: 'unsupported',
  codec: /^[A-Za-z0-9.-]{4}$/.test(fourCc) ? `${fourCc}${what} (Enhanced RTMP)` : 'Enhanced RTMP',
});

const codecOf = <Codec>(known: Readonly<Record<string, Codec>>, fourCc: string): Codec | null => (Object.hasOwn(known, fourCc) ? (known[fourCc] ?? null) : null);

export const readEnhancedVideo = (message: Buffer): VideoTag => {
  const first = message[0] ?? 0;
  const frameType = (first >> 4) & 7;
  const head = new Head(message);
  const type = behindModifiers(head, first);
  // A player command (seek of a server) is one byte, and has no codec.
  if (frameType === playerCommand && type !== packet.metadata) return nothing;
  const track = firstTrack(head, type, videoMultitrack);
  if (!track) return nothing;
  const codec = codecOf(videoFourCcs, track.fourCc);
  if (!codec) return unsupported(track.fourCc);
  return videoOf(codec, track, frameType === keyFrame);
};

const videoOf = (codec: VideoCodec, { type, fourCc, body }: Track, key: boolean): VideoTag => {
  // Of these alone pictures may be shown in another order than they come in.
  const reordered = codec === 'h264' || codec === 'hevc';
  switch (type) {
    case packet.sequenceStart:
      return body.length === 0 ? nothing : { kind: 'config', codec, config: body };
    case packet.frames: {
      if (!reordered) return frame(codec, key, 0, body);
      return body.length <= 3 ? nothing : frame(codec, key, body.readIntBE(0, 3), body.subarray(3));
    }
    case packet.framesWithoutOffset:
      return frame(codec, key, 0, body);
    case packet.metadata:
      return { kind: 'metadata', amf: body };
    case packet.transportSequenceStart:
      // The descriptor of MPEG-TS in the place of the configuration record, which no known encoder sends.
      return unsupported(fourCc, ' configured as in MPEG-TS');
    default:
      return nothing;
  }
};

const frame = <Codec>(codec: Codec, key: boolean, offset: number, data: Buffer): MediaTag<Codec> =>
  data.length === 0 ? nothing : { kind: 'frame', codec, key, offset, data };

export const readEnhancedAudio = (message: Buffer): AudioTag => {
  const head = new Head(message);
  const track = firstTrack(head, behindModifiers(head, message[0] ?? 0), audioMultitrack);
  if (!track) return nothing;
  const { type, fourCc, body } = track;
  const codec = codecOf(audioFourCcs, fourCc);
  if (!codec) return unsupported(fourCc);
  // MultichannelConfig (4) says what the channels are called: the configuration of the codec does, too.
  if (type === packet.sequenceStart) return body.length === 0 ? nothing : { kind: 'config', codec, config: body };
  return type === packet.frames ? frame(codec, true, 0, body) : nothing;
};
