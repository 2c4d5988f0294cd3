/**
 * MPEG-TS in (ISO 13818-1), access units out: of the first programme, its first picture and its first sound, and what its
 * splices and ID3 tags say. Bytes may begin and break anywhere, and be anything: whatever cannot be read is counted,
 * and what follows goes on.
 *
 *     bytes ─▶ packets ─▶ PID ─┬─▶ sections ─▶ PAT, PMT: which PID is what
 *                              ├─▶ PES ─▶ pictures, sound ─▶ track, unit
 *                              └─▶ PES, sections ─▶ event
 */
import { CodecError } from '../codec-error.ts';
import { largestEvent, type WireEvent } from '../event.ts';
import { parseSplice } from '../scte35.ts';
import type { AudioCodec, MediaKind } from '../unit.ts';
import { AdtsReader } from './adts.ts';
import type { FrameReader } from './frames.ts';
import { LatmReader } from './latm.ts';
import { opusFrames } from './opus.ts';
import { Continuity, PacketReader, type TsPacket } from './packets.ts';
import { PesReader, type Pes } from './pes.ts';
import { pictureGrammars } from './picture-grammar.ts';
import { PictureStream, type MediaOutput } from './pictures.ts';
import { SectionReader } from './sections.ts';
import { SoundStream } from './sound.ts';
import { kindOf, type StreamKind } from './stream-kind.ts';
import { programmeOf, streamsOf, type ElementaryStream } from './tables.ts';

/** What the streamer should hear of; each is said once. */
export type TsFinding =
  | { readonly code: 'unsupported-codec'; readonly media: 'video' | 'audio'; readonly codec: string }
  | { readonly code: 'extra-track'; readonly media: 'video' | 'audio' }
  | { readonly code: 'scrambled' };

export type TsOutput = MediaOutput & {
  readonly event: (event: WireEvent) => void;
  readonly finding: (finding: TsFinding) => void;
};

export type TsCounters = {
  /** Packets of the programme that are missing, as far as their counters tell. */
  readonly gaps: number;
  /** Pictures, frames and packets that were dropped because they were not whole. */
  readonly damaged: number;
  /** Bytes that belonged to nothing. */
  readonly skipped: number;
};

/** A key frame of 4K at the highest quality stays below. */
const largestPicture = 10 * 1024 * 1024;
/** A PES packet of sound has a length, in 16 bits; without one it may gather this much. */
const largestSound = 256 * 1024;
const patPid = 0;

type Part = { readonly continuity: Continuity; readonly read: (packet: TsPacket, payload: Buffer) => void; readonly gap: () => void; readonly flush: () => void; readonly damaged: () => number; readonly skipped: () => number };
type Stream = { readonly type: number; readonly kind: StreamKind; readonly part: Part };

export class TsDemuxer {
  readonly #output: TsOutput;
  readonly #packets = new PacketReader();
  readonly #pat: Part;
  #pmtPid: number | null = null;
  #pmt: Part | null = null;
  #pmtBytes: Buffer | null = null;
  #streams = new Map<number, Stream>();
  readonly #told = new Set<string>();
  #gaps = 0;
  #damaged = 0;
  #skipped = 0;

  constructor(output: TsOutput) {
    this.#output = output;
    this.#pat = sections((section) => this.#onPat(section));
  }

  get counters(): TsCounters {
    const parts = [...this.#streams.values()].map(({ part }) => part);
    return {
      gaps: this.#gaps,
      damaged: parts.reduce((sum, part) => sum + part.damaged(), this.#damaged),
      skipped: parts.reduce((sum, part) => sum + part.skipped(), this.#skipped + this.#packets.skipped),
    };
  }

  /** Throws nothing but what the output throws. */
  push(bytes: Buffer): void {
    this.#packets.read(bytes, (packet) => this.#packet(packet));
  }

  /**
   * At most so many packets are missing here. Counters of four bits tell of which PIDs, but only while there are no more
   * than fourteen since the last packet of a PID: beyond that, what is under way on it is not known to go on.
   */
  lost(packets: number): void {
    const missing = packets + this.#packets.lost();
    let unsure = false;
    for (const part of [this.#pat, this.#pmt, ...[...this.#streams.values()].map((stream) => stream.part)]) {
      if (!part?.continuity.lost(missing)) continue;
      part.gap();
      unsure = true;
    }
    if (unsure) this.#gaps += 1;
  }

  /** Nothing more comes. */
  end(): void {
    for (const { part } of this.#streams.values()) part.flush();
  }

  #packet(packet: TsPacket): void {
    const part = packet.pid === patPid ? this.#pat : packet.pid === this.#pmtPid ? this.#pmt : this.#streams.get(packet.pid)?.part;
    if (!part || !packet.payload) return;
    if (packet.scrambled) {
      this.#tell({ code: 'scrambled' });
      return;
    }
    const order = part.continuity.check(packet);
    if (order === 'repeat') return;
    if (order === 'gap') {
      this.#gaps += 1;
      part.gap();
    }
    part.read(packet, packet.payload);
  }

  #onPat(section: Buffer): void {
    const pid = programmeOf(section);
    if (pid === null || pid === patPid || pid === this.#pmtPid) return;
    this.#pmtPid = pid;
    this.#pmtBytes = null;
    this.#pmt = sections((table) => this.#onPmt(table));
  }

  /** Streams that are still there go on; the others end, and new ones begin. */
  #onPmt(section: Buffer): void {
    if (this.#pmtBytes?.equals(section)) return;
    const listed = streamsOf(section);
    if (!listed) return;
    this.#pmtBytes = Buffer.from(section);
    const before = this.#streams;
    this.#streams = new Map();
    const has = { video: false, audio: false };
    for (const entry of listed) {
      if (entry.pid === patPid || entry.pid === this.#pmtPid || this.#streams.has(entry.pid)) continue;
      const kind = kindOf(entry);
      if (kind.kind === 'unsupported') this.#tell({ code: 'unsupported-codec', media: kind.media, codec: kind.codec });
      const media = mediaOf(kind);
      if (media && has[media]) this.#tell({ code: 'extra-track', media });
      if (kind.kind === 'unsupported' || kind.kind === 'other' || (media && has[media])) continue;
      if (media) has[media] = true;
      this.#streams.set(entry.pid, this.#stream(entry, kind, before.get(entry.pid)));
    }
    for (const [pid, { part }] of before) {
      if (this.#streams.get(pid)?.part === part) continue;
      part.flush();
      this.#damaged += part.damaged();
      this.#skipped += part.skipped();
    }
  }

  #stream({ type }: ElementaryStream, kind: StreamKind, before: Stream | undefined): Stream {
    if (before && before.type === type && sameKind(before.kind, kind)) return before;
    return { type, kind, part: this.#part(kind) };
  }

  #part(stream: StreamKind): Part {
    switch (stream.kind) {
      case 'h264':
      case 'hevc': {
        const pictures = new PictureStream(pictureGrammars[stream.kind], this.#output);
        return packets(new PesReader(largestPicture, true), (pes) => pictures.take(pes), { dropped: () => pictures.dropped });
      }
      case 'adts': {
        const reader = new AdtsReader();
        return this.#sound('aac', (bytes, at) => reader.read(bytes, at));
      }
      case 'latm': {
        const reader = new LatmReader();
        return this.#sound('aac', (bytes, at) => reader.read(bytes, at));
      }
      case 'opus':
        return this.#sound('opus', opusFrames(stream.channels));
      case 'scte35':
        return sections((section) => this.#splice(section));
      case 'id3':
      case 'other':
      case 'unsupported':
        return packets(new PesReader(largestEvent, false), ({ pts, data }) => this.#output.event({ scheme: 'id3', pts, duration: null, data }), {});
    }
  }

  #sound(codec: AudioCodec, frameAt: FrameReader): Part {
    const sound = new SoundStream(codec, frameAt, this.#output);
    return packets(new PesReader(largestSound, false), (pes) => sound.take(pes), { skipped: () => sound.skipped, gap: () => sound.gap() });
  }

  /** What cannot be understood is handed on as of now, and whoever takes it judges it. */
  #splice(section: Buffer): void {
    let pts: number | null = null;
    try {
      pts = parseSplice(section).time;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
    this.#output.event({ scheme: 'scte35', pts, duration: null, data: Buffer.from(section) });
  }

  #tell(finding: TsFinding): void {
    const name = Object.values(finding).join(' ');
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.#output.finding(finding);
  }
}

const carried: { readonly [kind in StreamKind['kind']]?: MediaKind } = { h264: 'video', hevc: 'video', adts: 'audio', latm: 'audio', opus: 'audio' };
const mediaOf = ({ kind }: StreamKind): MediaKind | null => carried[kind] ?? null;

const channelsOf = (kind: StreamKind): number | null => (kind.kind === 'opus' ? kind.channels : null);
const sameKind = (one: StreamKind, other: StreamKind): boolean => one.kind === other.kind && channelsOf(one) === channelsOf(other);

const none = (): number => 0;

const sections = (take: (section: Buffer) => void): Part => {
  const reader = new SectionReader();
  return {
    continuity: new Continuity(),
    read: ({ start }, payload) => reader.read(payload, start, take),
    gap: () => reader.gap(),
    flush: () => reader.gap(),
    damaged: none,
    skipped: none,
  };
};

type More = { readonly dropped?: () => number; readonly skipped?: () => number; readonly gap?: () => void };

const packets = (reader: PesReader, take: (pes: Pes) => void, { dropped = none, skipped = none, gap }: More): Part => ({
  continuity: new Continuity(),
  read: ({ start }, payload) => reader.read(payload, start, take),
  gap: () => {
    reader.gap();
    gap?.();
  },
  flush: () => reader.flush(take),
  damaged: () => reader.damaged + dropped(),
  skipped,
});
