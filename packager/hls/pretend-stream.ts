/**
 * A stream that was never encoded: it makes the snapshots that a run would make, step by step, for whoever
 * tests a view or a server of views. Every fragment has bytes that can be told from all others.
 */
import type {
  Cut,
  EpochRef,
  OpenSegment,
  PartRef,
  PresentationPolicy,
  PresentationSnapshot,
  SegmentRef,
  TrackEpoch,
  TrackSnapshot,
} from '../snapshot.ts';
import type { Codec, TrackKind } from '../media/unit.ts';

export type PretendTrack = {
  readonly id: string;
  readonly kind: TrackKind;
  readonly codec?: Codec;
  readonly timescale: number;
  /** Ticks of a whole part. */
  readonly partTicks: number;
  readonly height?: number;
  readonly bandwidth?: number;
  readonly group?: string;
  readonly language?: string;
  readonly name?: string;
};

export type PretendOptions = {
  readonly video?: string;
  readonly run?: string;
  readonly tracks?: readonly PretendTrack[];
  readonly latency?: PresentationPolicy['latency'];
  readonly targetDuration?: number;
  readonly partBytes?: number;
  readonly wallClock?: number;
  /** An upload that is watched while it arrives. */
  readonly growing?: true;
};

/** 30 pictures a second in parts of ten, and sound at 48 kHz in parts that end where those of the picture do. */
export const pictureAndSound: readonly PretendTrack[] = [
  { id: 'v0', kind: 'video', timescale: 90_000, partTicks: 30_000, height: 1080, bandwidth: 6_000_000 },
  { id: 'a0', kind: 'audio', timescale: 48_000, partTicks: 16_000, bandwidth: 160_000 },
];

type Row = {
  readonly track: PretendTrack;
  readonly segments: SegmentRef[];
  readonly epochs: TrackEpoch[];
  first: number;
  seq: number;
  time: number;
  open: { msn: number; epoch: number; start: number; parts: PartRef[] } | null;
};

export class PretendStream {
  readonly video: string;
  readonly run: string;
  cut: Cut = { inMicros: null, outMicros: null };
  #policy: PresentationPolicy;
  #rows: Row[];
  #epochs: EpochRef[];
  #revision = 0;
  #ended = false;
  #nextMsn = 1;
  #partBytes: number;
  #bytes = new Map<string, Buffer>();

  constructor(options: PretendOptions = {}) {
    const tracks = options.tracks ?? pictureAndSound;
    const latency = options.latency ?? (options.growing ? 'standard' : 'low');
    const longest = Math.max(...tracks.map(partTarget));
    this.video = options.video ?? 'video-00000001';
    this.run = options.run ?? 'k3v9x0a2b7';
    this.#partBytes = options.partBytes ?? 1000;
    this.#policy = {
      latency,
      targetDuration: options.targetDuration ?? 2,
      partHoldBack: latency === 'standard' ? null : 3 * longest,
      version: 9,
      independentSegments: true,
      dvrSeconds: 0,
      closedCaptions: [],
      ...(options.growing && { growing: true }),
    };
    this.#epochs = [{ epoch: 0, wallClock: options.wallClock ?? Date.UTC(2026, 0, 1), startMicros: 0, run: this.run }];
    this.#rows = tracks.map((track) => ({ track, segments: [], epochs: [config(track, 0)], first: 0, seq: 0, time: 0, open: null }));
  }

  /** One part on every track; the first one of a segment opens it. `share` of a whole part: the last one may be short. */
  part(share = 1, gap = false): this {
    for (const row of this.#rows) {
      row.open ??= { msn: this.#nextMsn, epoch: this.#epochs.length - 1, start: row.time, parts: [] };
      const duration = Math.max(1, Math.round(row.track.partTicks * share));
      const size = gap ? 0 : this.#partBytes;
      const independent = row.track.kind === 'audio' || row.open.parts.length === 0;
      row.open.parts.push({ seq: row.seq, duration, independent, gap, size });
      this.#bytes.set(`${row.track.id} ${row.seq}`, fragment(row.track.id, row.seq, size));
      row.time += duration;
      row.seq++;
    }
    return this.#changed();
  }

  /** Closes the open segment on every track. The next one is opened by its first part. */
  close(): this {
    for (const row of this.#rows) {
      if (!row.open) continue;
      const { msn, epoch, start, parts } = row.open;
      row.segments.push({
        msn,
        epoch,
        start,
        duration: parts.reduce((sum, part) => sum + part.duration, 0),
        slewMs: 0,
        independent: true,
        gap: parts.every((part) => part.gap),
        size: parts.reduce((sum, part) => sum + part.size, 0),
        parts,
      });
      row.open = null;
    }
    this.#nextMsn = (this.#rows[0]?.segments.at(-1)?.msn ?? 0) + 1;
    return this.#changed();
  }

  segment(parts = 6): this {
    for (let count = 0; count < parts; count++) this.part();
    return this.close();
  }

  segments(count: number, parts = 6): this {
    for (let made = 0; made < count; made++) this.segment(parts);
    return this;
  }

  /** The publisher is back, or its parameters changed: a new epoch, `awayMs` of wall clock later. */
  epoch(awayMs = 10_000): this {
    const lead = this.#rows[0];
    if (!lead) return this;
    const startMicros = Math.round((lead.time / lead.track.timescale) * 1e6);
    const before = this.#epochs.at(-1);
    const wallClock = (before?.wallClock ?? 0) + (startMicros - (before?.startMicros ?? 0)) / 1000 + awayMs;
    this.#epochs.push({ epoch: this.#epochs.length, wallClock, startMicros, run: this.run });
    for (const row of this.#rows) {
      // Every track takes up its clock at the same moment.
      row.time = Math.round((startMicros * row.track.timescale) / 1e6);
      row.epochs.push(config(row.track, this.#epochs.length - 1));
    }
    return this;
  }

  /** Keeps the last `count` closed segments in the playlist. */
  keep(count: number): this {
    for (const row of this.#rows) row.first = Math.max(row.first, row.segments.length - count);
    return this.#changed();
  }

  end(): this {
    this.close();
    this.#ended = true;
    return this.#changed();
  }

  #changed(): this {
    this.#revision++;
    return this;
  }

  snapshot(): PresentationSnapshot {
    return {
      video: this.video,
      run: this.run,
      state: this.#ended ? 'ended' : 'live',
      revision: this.#revision,
      policy: this.#policy,
      epochs: [...this.#epochs],
      tracks: this.#rows.map((row) => this.#track(row)),
      events: [],
      cut: this.cut,
    };
  }

  /** What the log holds of one fragment. */
  bytes(track: string, seq: number): Buffer | undefined {
    return this.#bytes.get(`${track} ${seq}`);
  }

  #track({ track, segments, epochs, first, open }: Row): TrackSnapshot {
    const written: OpenSegment | null = open && { ...open, slewMs: 0, count: open.parts.length };
    return {
      id: track.id,
      kind: track.kind,
      codec: track.codec ?? (track.kind === 'video' ? 'h264' : 'aac'),
      timescale: track.timescale,
      epochs: [...epochs],
      segments,
      firstSegment: this.#ended ? 0 : first,
      liveStart: first,
      endSegment: segments.length,
      open: written,
      bandwidth: track.bandwidth ?? 1_000_000,
      averageBandwidth: Math.round((track.bandwidth ?? 1_000_000) * 0.8),
      partTarget: this.#policy.latency === 'standard' ? null : partTarget(track),
      group: track.group ?? (track.kind === 'video' ? 'picture' : 'sound'),
      ...(track.language === undefined ? {} : { language: track.language }),
      ...(track.name === undefined ? {} : { name: track.name }),
    };
  }
}

const partTarget = (track: PretendTrack): number => track.partTicks / track.timescale + 0.002;

const config = (track: PretendTrack, epoch: number): TrackEpoch => ({
  epoch,
  init: Buffer.from(`init of ${track.id} in epoch ${epoch}`),
  ...(track.kind === 'video'
    ? { codecString: 'avc1.640028', width: Math.round(((track.height ?? 1080) * 16) / 9), height: track.height ?? 1080, frameRate: 30 }
    : { codecString: 'mp4a.40.2', channels: 2 }),
});

const fragment = (track: string, seq: number, size: number): Buffer => Buffer.alloc(size, `${track}.${seq};`);
