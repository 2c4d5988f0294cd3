/**
 * The health of all that is sent here: who is measured, who is told, and what is kept. Every second for whoever
 * listens, every five for what is kept; in between nothing but counting.
 */
import type { Clock } from '../../packager/clock.ts';
import type { Protocol, PublishRequest, PublishSink } from '../../packager/media/publish.ts';
import type { Scheme } from '../../packager/protect/keys.ts';
import type { IngestReportStore } from '../catalog/ingest-reports.ts';
import type { ServerLog } from '../log.ts';
import { ChannelHealth, type HealthView, type Tally } from './channel-health.ts';
import type { Beside, IngestFacts, LadderFacts } from './facts.ts';
import { findingCodes } from './findings.ts';
import { readReport, writeReport, type IngestReport } from './report.ts';

export type IngestHealthOptions = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly reports: IngestReportStore;
  /** What is encoded beside the show of a video; absent: nothing ever is. */
  readonly ladderOf?: (videoId: string) => LadderFacts | null;
  readonly secondSoundOf?: (videoId: string) => IngestFacts['secondSound'];
};

const tickMs = 1_000;
const lookTicks = 5;
/** What a crash may cost of a report. */
const keepTicks = 60;
/** So long it is told why a publisher was sent away that never came to a show. */
const lingerMs = 120_000;
/** Channels of which nothing is sent, and which are remembered all the same. */
const mostLingering = 500;

/** Since the start; they only grow. */
type Sums = { sessions: number; bytes: number; units: number };

export class IngestHealth {
  readonly #o: IngestHealthOptions;
  readonly #channels = new Map<string, ChannelHealth>();
  /** Videos that are live, and the channels that they are live on. */
  readonly #videos = new Map<string, string>();
  readonly #sums = new Map<Protocol, Sums>();
  #reconnects = 0;
  #ticks = 0;
  #cancel: (() => void) | null = null;
  #heard: () => readonly string[] = () => [];
  #tell: (channelId: string) => void = () => undefined;

  constructor(options: IngestHealthOptions) {
    this.#o = options;
  }

  /** Somebody wants to be told: of which channels, and how. */
  tells(heard: () => readonly string[], tell: (channelId: string) => void): void {
    this.#heard = heard;
    this.#tell = tell;
  }

  watch(channelId: string, request: PublishRequest, sink: PublishSink): PublishSink {
    return this.#open(channelId).watch(request, sink);
  }

  /** A second encoder wanted to take the place of the one that is on, and was refused. */
  rival(channelId: string): void {
    this.#channels.get(channelId)?.rival();
  }

  #beside(videoId: string): () => Beside {
    const { ladderOf, secondSoundOf } = this.#o;
    return () => ({ ladder: ladderOf?.(videoId) ?? null, secondSound: secondSoundOf?.(videoId) ?? null });
  }

  /** Something is live on the channel. */
  begins(channelId: string, videoId: string, protection: Scheme | null = null): void {
    this.#videos.set(videoId, channelId);
    this.#channels.get(channelId)?.shown(protection, this.#beside(videoId));
  }

  /** A show goes on that a stop of the server interrupted. */
  async resumes(channelId: string, videoId: string, protection: Scheme | null = null): Promise<void> {
    this.#videos.set(videoId, channelId);
    const kept = await this.of(videoId);
    const health = this.#open(channelId);
    if (kept) health.restore(kept);
    health.shown(protection, this.#beside(videoId));
  }

  /** The video has come to its end: what is known of how it came in is kept with it. */
  async ends(videoId: string): Promise<void> {
    const channelId = this.#videos.get(videoId);
    this.#videos.delete(videoId);
    const health = channelId === undefined ? undefined : this.#channels.get(channelId);
    if (!health) return;
    health.look();
    await this.#keep(videoId, health.finish());
  }

  /** Nothing is live there, and nobody sends. */
  idle(channelId: string): void {
    const health = this.#channels.get(channelId);
    if (!health || health.sending) return;
    health.look();
    health.finish();
  }

  /** How what is sent to a channel is now; null: nothing is known of it. */
  view(channelId: string): HealthView | null {
    const health = this.#channels.get(channelId);
    health?.look();
    return health?.view ?? null;
  }

  /** How a video came in; null: nobody knows any more. */
  async of(videoId: string): Promise<IngestReport | null> {
    const channelId = this.#videos.get(videoId);
    const live = channelId === undefined ? undefined : this.#channels.get(channelId);
    if (live) return live.report;
    const text = await this.#o.reports.get(videoId);
    return text === null ? null : this.#read(videoId, text);
  }

  /** What cannot be read is as if nothing had been kept: neither a show nor its recording needs it. */
  #read(videoId: string, text: string): IngestReport | null {
    try {
      return readReport(text);
    } catch (error) {
      this.#o.log.error({ video: videoId, err: error }, 'What was kept of how this video came in cannot be read.');
      return null;
    }
  }

  /** For metrics: sums only, however many channels there are. */
  get figures(): {
    readonly publishers: Readonly<Record<string, number>>;
    readonly sessions: Readonly<Record<string, number>>;
    readonly bytes: Readonly<Record<string, number>>;
    readonly units: Readonly<Record<string, number>>;
    readonly reconnects: number;
    readonly findings: Readonly<Record<string, number>>;
  } {
    const of = (what: keyof Sums): Record<string, number> => Object.fromEntries([...this.#sums].map(([protocol, sums]) => [protocol, sums[what]]));
    const publishers: Record<string, number> = Object.fromEntries([...this.#sums.keys()].map((protocol) => [protocol, 0]));
    const findings: Record<string, number> = Object.fromEntries(findingCodes.map((code) => [code, 0]));
    for (const health of this.#channels.values()) {
      const { protocol } = health;
      if (protocol !== null) publishers[protocol] = (publishers[protocol] ?? 0) + 1;
      for (const { code } of health.findings) findings[code] = (findings[code] ?? 0) + 1;
    }
    return { publishers, sessions: of('sessions'), bytes: of('bytes'), units: of('units'), reconnects: this.#reconnects, findings };
  }

  /** Everything that is live waits for the next start: so does what is known of it. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    await this.#keepAll();
  }

  #open(channelId: string): ChannelHealth {
    const known = this.#channels.get(channelId);
    if (known) return known;
    const health = new ChannelHealth(this.#o.clock, this.#tally);
    this.#channels.set(channelId, health);
    this.#cancel ??= this.#o.clock.after(tickMs, () => this.#tick());
    return health;
  }

  readonly #tally: Tally = {
    session: (protocol) => void (this.#sumsOf(protocol).sessions += 1),
    reconnect: () => void (this.#reconnects += 1),
    unit: (protocol, bytes) => {
      const sums = this.#sumsOf(protocol);
      sums.units += 1;
      sums.bytes += bytes;
    },
  };

  #sumsOf(protocol: Protocol): Sums {
    const known = this.#sums.get(protocol) ?? { sessions: 0, bytes: 0, units: 0 };
    this.#sums.set(protocol, known);
    return known;
  }

  #tick(): void {
    this.#cancel = null;
    this.#ticks += 1;
    const heard = new Set(this.#heard());
    const all = this.#ticks % lookTicks === 0;
    for (const [channelId, health] of this.#channels) if (all || heard.has(channelId)) health.look();
    this.#forget();
    for (const channelId of heard) if (this.#channels.has(channelId)) this.#tell(channelId);
    if (this.#ticks % keepTicks === 0) void this.#keepAll();
    if (this.#channels.size > 0) this.#cancel ??= this.#o.clock.after(tickMs, () => this.#tick());
  }

  #forget(): void {
    const now = this.#o.clock.now();
    const live = new Set(this.#videos.values());
    const idle = [...this.#channels].filter(([channelId, health]) => !health.sending && !live.has(channelId));
    const tooMany = idle.length - mostLingering;
    for (const [index, [channelId, { stirredAt }]] of idle.entries()) {
      if (index >= tooMany && now - stirredAt < lingerMs) continue;
      this.#channels.delete(channelId);
      this.#tell(channelId);
    }
  }

  async #keepAll(): Promise<void> {
    for (const [videoId, channelId] of [...this.#videos]) {
      const health = this.#channels.get(channelId);
      if (health && this.#videos.has(videoId)) await this.#keep(videoId, health.report);
    }
  }

  /** A report that cannot be kept is no reason for a show to fail. */
  async #keep(videoId: string, report: IngestReport): Promise<void> {
    try {
      if (!(await this.#o.reports.put(videoId, writeReport(report)))) this.#o.log.warn({ video: videoId }, 'How this video came in could not be kept with it.');
    } catch (error) {
      this.#o.log.error({ video: videoId, err: error }, 'How this video came in could not be kept with it.');
    }
  }
}
