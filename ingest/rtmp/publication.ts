/** From messages to the core: one published stream, its tracks and its access units. */
import { CodecError } from '../../packager/media/codec-error.ts';
import type { WireEvent } from '../../packager/media/event.ts';
import { textTag } from '../../packager/media/id3.ts';
import { opusConfigOf } from '../../packager/media/opus.ts';
import { pictureReader } from '../../packager/media/picture.ts';
import type { EndReason, PublishSink } from '../../packager/media/publish.ts';
import type { AudioCodec, VideoCodec, VideoConfig } from '../../packager/media/unit.ts';
import { vp9ConfigOf } from '../../packager/media/vp9-config.ts';
import { decodeAmf0 } from './amf0.ts';
import type { AmfLimits, AmfObject, AmfValue } from './amf0.ts';
import type { Message } from './chunks.ts';
import { RtmpError } from './errors.ts';
import { readAudioTag, readVideoTag } from './flv-tags.ts';
import { messageType } from './messages.ts';
import { avcLengths, hevcLengths, withFourByteLengths, type NalLengths } from './nal-lengths.ts';

/** What senders and hardware call text and marks at a moment; all else that may come as data is of no use to viewers. */
const timedNames: ReadonlySet<AmfValue> = new Set(['onTextData', 'onCuePoint', 'onUserDataEvent']);

export class Publication {
  #sink: PublishSink;
  #limits: AmfLimits;
  #video: { readonly codec: VideoCodec; readonly lengthSize: number } | undefined;
  #vp9: VideoConfig | null = null;
  #audio: AudioCodec | undefined;
  /** Said in several messages, and told in one. */
  #about: Readonly<Record<string, AmfValue>> = {};
  /** Access units handed over. */
  units = 0;
  /** Access units that came before their decoder configuration, and metadata that could not be read. */
  dropped = 0;

  constructor(sink: PublishSink, limits: AmfLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** A message, or a tag of an aggregate one. False: the core is full. Throws RtmpError. */
  media(message: Message): boolean {
    if (message.type === messageType.video) return this.#videoMessage(message);
    if (message.type === messageType.audio) return this.#audioMessage(message);
    if (message.type === messageType.data) this.data(message.payload, message.timestamp);
    return true;
  }

  #videoMessage({ payload, timestamp }: Message): boolean {
    const tag = readVideoTag(payload);
    switch (tag.kind) {
      case 'config': {
        const { codec } = tag;
        const { lengthSize, config } = readable(() => pictureConfig(codec, tag.config));
        this.#video = { codec, lengthSize };
        this.#vp9 = codec === 'vp9' ? { kind: 'video', codec, config } : null;
        this.#sink.track({ kind: 'video', codec, config });
        return true;
      }
      case 'frame': {
        if (this.#video?.codec !== tag.codec) return this.#drop();
        if (this.#vp9 && tag.key) this.#sizeOf(this.#vp9, tag.data);
        const data = withFourByteLengths(tag.data, this.#video.lengthSize);
        return this.#write('video', timestamp, tag.offset, tag.key, data);
      }
      case 'metadata':
        this.#colours(tag.amf);
        return true;
      case 'unsupported':
        this.#sink.uncarried?.('video', tag.codec);
        throw new RtmpError('unsupported-codec', tag.codec);
      case 'nothing':
        return true;
    }
  }

  /** Its record does not know how large the pictures are, and whoever is told of a track wants to. */
  #sizeOf(announced: VideoConfig, key: Buffer): void {
    const { config } = readable(() => pictureReader(announced.codec, announced)(key));
    if (!config) return;
    this.#vp9 = config;
    this.#sink.track(config);
  }

  #audioMessage({ payload, timestamp }: Message): boolean {
    const tag = readAudioTag(payload);
    switch (tag.kind) {
      case 'config': {
        const { codec } = tag;
        const config = codec === 'opus' ? readable(() => opusConfigOf(tag.config)) : tag.config;
        this.#audio = codec;
        this.#sink.track({ kind: 'audio', codec, config });
        return true;
      }
      case 'frame':
        return this.#audio === tag.codec ? this.#write('audio', timestamp, tag.offset, tag.key, tag.data) : this.#drop();
      case 'unsupported':
        this.#sink.uncarried?.('audio', tag.codec);
        throw new RtmpError('unsupported-codec', tag.codec);
      case 'metadata':
      case 'nothing':
        return true;
    }
  }

  /** onMetaData, with or without FMLE's @setDataFrame before it; and timed text. */
  data(amf: Buffer, timestamp: number): void {
    this.#said(amf, ([first, ...others]) => {
      const [name, metadata] = first === '@setDataFrame' ? others : [first, ...others];
      if (typeof name === 'string' && timedNames.has(name)) this.#sink.event(textEvent(name, metadata, timestamp));
      if (name === 'onMetaData' && isObject(metadata)) this.#hint(metadata);
    });
  }

  /** Enhanced RTMP, "Metadata Frame": for people to see. What players are told is what stands in the pictures. */
  #colours(amf: Buffer): void {
    this.#said(amf, ([name, colorInfo]) => {
      if (name === 'colorInfo' && isObject(colorInfo)) this.#hint({ ...this.#about, colorInfo });
    });
  }

  #hint(about: Readonly<Record<string, AmfValue>>): void {
    this.#about = about;
    this.#sink.hint(about);
  }

  /** Never worth a stream: damage is counted. */
  #said(amf: Buffer, hear: (values: readonly AmfValue[]) => void): void {
    if (amf.length > this.#limits.amfStringBytes) {
      this.dropped += 1;
      return;
    }
    try {
      hear(decodeAmf0(amf, this.#limits));
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.dropped += 1;
    }
  }

  drained(): Promise<void> {
    return this.#sink.drained();
  }

  end(reason: EndReason): void {
    this.#sink.end(reason);
  }

  #write(kind: 'video' | 'audio', dts: number, offset: number, key: boolean, data: Buffer): boolean {
    this.units += 1;
    return this.#sink.write({ kind, dts, pts: (dts + offset) >>> 0, key, data });
  }

  #drop(): true {
    this.dropped += 1;
    return true;
  }
}

/** As ID3, which every player knows how to hand to its page: the name, and what came with it as JSON. */
const textEvent = (name: string, value: AmfValue, timestamp: number): WireEvent => ({
  scheme: 'id3',
  pts: timestamp,
  duration: null,
  data: textTag(name, typeof value === 'string' ? value : JSON.stringify(value ?? null)),
});

const isObject = (value: AmfValue): value is AmfObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const pictureConfig = (codec: VideoCodec, sent: Buffer): NalLengths => {
  switch (codec) {
    case 'h264':
      return avcLengths(sent);
    case 'hevc':
      return hevcLengths(sent);
    case 'av1':
      return { lengthSize: 4, config: sent };
    case 'vp9':
      return { lengthSize: 4, config: vp9ConfigOf(sent) };
  }
};

const readable = <T>(read: () => T): T => {
  try {
    return read();
  } catch (error) {
    throw error instanceof CodecError ? new RtmpError('codec-config', error.message) : error;
  }
};
