/** From messages to the core: one published stream, its tracks and its access units. */
import type { WireEvent } from '../../packager/media/event.ts';
import { textTag } from '../../packager/media/id3.ts';
import type { EndReason, PublishSink } from '../../packager/media/publish.ts';
import { decodeAmf0 } from './amf0.ts';
import type { AmfLimits, AmfValue } from './amf0.ts';
import type { Message } from './chunks.ts';
import { RtmpError } from './errors.ts';
import { avcLengths, readAudioTag, readVideoTag, withFourByteLengths } from './flv-tags.ts';
import { messageType } from './messages.ts';

/** What senders and hardware call text and marks at a moment; all else that may come as data is of no use to viewers. */
const timedNames: ReadonlySet<AmfValue> = new Set(['onTextData', 'onCuePoint', 'onUserDataEvent']);

export class Publication {
  #sink: PublishSink;
  #limits: AmfLimits;
  #lengthSize: number | undefined;
  #audioKnown = false;
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
    if (message.type === messageType.video) return this.#video(message);
    if (message.type === messageType.audio) return this.#audio(message);
    if (message.type === messageType.data) this.data(message.payload, message.timestamp);
    return true;
  }

  #video({ payload, timestamp }: Message): boolean {
    const tag = readVideoTag(payload);
    switch (tag.kind) {
      case 'config': {
        const { lengthSize, config } = avcLengths(tag.config);
        this.#lengthSize = lengthSize;
        this.#sink.track({ kind: 'video', codec: 'h264', config });
        return true;
      }
      case 'frame': {
        if (this.#lengthSize === undefined) return this.#drop();
        const data = withFourByteLengths(tag.data, this.#lengthSize);
        return this.#write('video', timestamp, tag.offset, tag.key, data);
      }
      case 'unsupported':
        throw new RtmpError('unsupported-codec', tag.codec);
      case 'nothing':
        return true;
    }
  }

  #audio({ payload, timestamp }: Message): boolean {
    const tag = readAudioTag(payload);
    switch (tag.kind) {
      case 'config':
        this.#audioKnown = true;
        this.#sink.track({ kind: 'audio', codec: 'aac', config: tag.config });
        return true;
      case 'frame':
        return this.#audioKnown ? this.#write('audio', timestamp, tag.offset, tag.key, tag.data) : this.#drop();
      case 'unsupported':
        throw new RtmpError('unsupported-codec', tag.codec);
      case 'nothing':
        return true;
    }
  }

  /** onMetaData, with or without FMLE's @setDataFrame before it; and timed text. Never worth a stream: damage is counted. */
  data(amf: Buffer, timestamp: number): void {
    if (amf.length > this.#limits.amfStringBytes) {
      this.dropped += 1;
      return;
    }
    try {
      const [first, ...others] = decodeAmf0(amf, this.#limits);
      const [name, metadata] = first === '@setDataFrame' ? others : [first, ...others];
      if (typeof name === 'string' && timedNames.has(name)) this.#sink.event(textEvent(name, metadata, timestamp));
      if (name !== 'onMetaData' || typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return;
      this.#sink.hint(metadata);
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
