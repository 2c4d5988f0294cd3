/**
 * The health of what one channel is sent: the session that is on, the broadcast that it belongs to, and what stands
 * against them. Units are only counted; everything else is done when somebody looks.
 */
import type { Clock } from '../../packager/clock.ts';
import type { EndReason, Protocol, PublishRequest, PublishSink } from '../../packager/media/publish.ts';
import type { MediaKind } from '../../packager/media/unit.ts';
import type { Scheme } from '../../packager/protect/keys.ts';
import { FindingBoard } from './board.ts';
import type { AudioShape, Beside, BroadcastFacts, Change, History, IngestFacts, Minute, VideoShape } from './facts.ts';
import type { Finding } from './findings.ts';
import { judge } from './judge.ts';
import { keepFinding, keepSession, keepShape, type FindingReport, type IngestReport } from './report.ts';
import { Seconds } from './seconds.ts';
import { SessionGauge } from './session-gauge.ts';

const minute = 60_000;
const reconnectMemory = 10 * minute;
const rivalMemory = 5 * minute;
const mostMoments = 64;
const mostNames = 4;
const longestName = 60;
const nothingBeside = (): Beside => ({ ladder: null, secondSound: null });
const noArrival = { jitter: 0, late: 0, speed: null };

export type HealthView = { readonly facts: IngestFacts; readonly minute: Minute; readonly history: History; readonly findings: readonly Finding[] };

/** What its owner adds up over all channels. */
export type Tally = { session(protocol: Protocol): void; reconnect(): void; unit(protocol: Protocol, bytes: number): void };

type Moment = { readonly at: number };

export class ChannelHealth {
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #seconds: Seconds;
  readonly #board = new FindingBoard();
  #gauge: SessionGauge | null = null;
  /** What tracks were last, over all sessions: what becomes another is told. */
  #video: VideoShape | null = null;
  #audio: AudioShape | null = null;
  #changes: (Omit<Change, 'ago'> & Moment)[] = [];
  #jumps: Moment[] = [];
  #reconnects: Moment[] = [];
  #rivals: Moment[] = [];
  #uncarried: { readonly media: MediaKind; readonly codec: string }[] = [];
  #lastEnd: EndReason | null = null;
  #protection: Scheme | null = null;
  #beside: () => Beside = nothingBeside;
  #report: IngestReport;
  /** Monotonic ms of the last that happened. */
  #stirredAt: number;

  constructor(clock: Clock, tally: Tally) {
    this.#clock = clock;
    this.#tally = tally;
    this.#seconds = new Seconds(clock.now());
    this.#stirredAt = clock.now();
    this.#report = this.#freshReport();
  }

  get sending(): boolean {
    return this.#gauge !== null;
  }
  get stirredAt(): number {
    return this.#stirredAt;
  }
  get protocol(): Protocol | null {
    return this.#gauge?.session.protocol ?? null;
  }

  /** Measures what goes into a sink. */
  watch(request: PublishRequest, sink: PublishSink): PublishSink {
    const gauge = new SessionGauge(request, this.#clock, this.#seconds);
    this.#begin(gauge, request);
    const current = (): boolean => this.#gauge === gauge;
    return {
      track: (config) => {
        if (current()) this.#shaped(gauge.track(config));
        sink.track(config);
      },
      write: (unit) => {
        if (current()) {
          const stirred = gauge.write(unit);
          if (stirred !== null) this.#stirred(stirred);
          this.#tally.unit(request.protocol, unit.data.length);
        }
        return sink.write(unit);
      },
      drained: () => sink.drained(),
      event: (event) => sink.event(event),
      hint: (metadata) => {
        gauge.hint(metadata);
        sink.hint(metadata);
      },
      line: (report) => {
        gauge.line(report);
        sink.line?.(report);
      },
      uncarried: (media, codec) => {
        if (current()) this.#names(media, codec);
        sink.uncarried?.(media, codec);
      },
      end: (reason) => {
        this.#end(gauge, reason);
        sink.end(reason);
      },
    };
  }

  /** A second encoder with the same key was refused. */
  rival(): void {
    this.#rivals = remember(this.#rivals, { at: this.#clock.now() });
  }

  /** A show has begun, and is served so. */
  shown(protection: Scheme | null, beside: () => Beside = nothingBeside): void {
    this.#protection = protection;
    this.#beside = beside;
  }

  /** Judges what is there now. */
  look(): void {
    const { findings } = this.#report;
    const now = this.#clock.now();
    const wall = this.#clock.wall();
    const gone = this.#board.look(judge(this.#facts(), this.#board.standing), now, wall);
    if (gone.length > 0) this.#report = { ...this.#report, findings: gone.reduce((kept, finding) => this.#kept(kept, finding, wall), [...findings]) };
  }

  /** As it was judged when somebody last looked. */
  get view(): HealthView {
    const { now, wall } = { now: this.#clock.now(), wall: this.#clock.wall() };
    return { facts: this.#facts(), minute: this.#seconds.minute(now, wall), history: this.#seconds.history, findings: this.#board.findings };
  }
  get findings(): readonly Finding[] {
    return this.#board.findings;
  }

  /** What is to be kept if it ended now. */
  get report(): IngestReport {
    const wall = this.#clock.wall();
    const sessions = this.#gauge ? keepSession(this.#report.sessions, this.#sessionReport(this.#gauge, null)) : this.#report.sessions;
    const gop = this.#gopOf(this.#gauge);
    const findings = this.#board.findings.reduce((kept, finding) => this.#kept(kept, finding, wall), [...this.#report.findings]);
    return { ...this.#report, until: wall, sessions, gop, history: this.#seconds.history, findings };
  }

  /** A broadcast goes on that was kept before a restart. */
  restore(report: IngestReport): void {
    this.#report = report;
    this.#seconds.restore(report.history);
  }

  /** The broadcast is over, or another one has begun within the session. */
  finish(): IngestReport {
    const { report } = this;
    this.#report = { ...this.#freshReport(), sessionCount: Number(this.sending) };
    if (this.#video) this.#report = { ...this.#report, video: [this.#video] };
    if (this.#audio) this.#report = { ...this.#report, audio: [this.#audio] };
    this.#seconds.restart(this.#clock.now());
    this.#changes = [];
    this.#protection = null;
    this.#beside = nothingBeside;
    return report;
  }

  #begin(gauge: SessionGauge, request: PublishRequest): void {
    const old = this.#gauge;
    if (old) this.#end(old, 'evicted');
    if (this.#report.sessionCount === 0) this.#forget();
    const again = this.#report.sessionCount > 0 && this.#lastEnd !== 'announced';
    this.#gauge = gauge;
    this.#uncarried = [];
    this.#stirredAt = this.#clock.now();
    this.#report = { ...this.#report, sessionCount: this.#report.sessionCount + 1, reconnects: this.#report.reconnects + Number(again) };
    this.#tally.session(request.protocol);
    if (!again) return;
    this.#reconnects = remember(this.#reconnects, { at: this.#clock.now() });
    this.#tally.reconnect();
  }

  /** A broadcast begins: what the one before has left for its owner to read is none of it. */
  #forget(): void {
    this.#board.clear();
    this.#video = null;
    this.#audio = null;
    this.#changes = [];
    this.#jumps = [];
    this.#reconnects = [];
    this.#rivals = [];
    this.#lastEnd = null;
    this.#seconds.restart(this.#clock.now());
    this.#report = this.#freshReport();
  }

  /** Of what stood before the broadcast began, within the session of another one, only the time in this one counts. */
  #kept(findings: readonly FindingReport[], finding: Finding, until: number): FindingReport[] {
    return keepFinding(findings, { ...finding, since: Math.max(finding.since, this.#report.since) }, until);
  }

  #end(gauge: SessionGauge, reason: EndReason): void {
    if (this.#gauge !== gauge) return;
    this.#report = { ...this.#report, sessions: keepSession(this.#report.sessions, this.#sessionReport(gauge, reason)), gop: this.#gopOf(gauge) };
    this.#gauge = null;
    this.#lastEnd = reason;
    this.#stirredAt = this.#clock.now();
  }

  #shaped(said: { readonly video: VideoShape } | { readonly audio: AudioShape }): void {
    if ('video' in said) {
      const { video } = said;
      if (this.#video) {
        this.#became('videoCodec', this.#video.codec, video.codec);
        this.#became('resolution', sizeOf(this.#video), sizeOf(video));
      }
      this.#video = video;
      this.#report = { ...this.#report, video: keepShape(this.#report.video, video) };
      return;
    }
    const { audio } = said;
    if (this.#audio) {
      this.#became('audioCodec', this.#audio.codec, audio.codec);
      this.#became('sampleRate', String(this.#audio.sampleRate ?? ''), String(audio.sampleRate ?? ''));
    }
    this.#audio = audio;
    this.#report = { ...this.#report, audio: keepShape(this.#report.audio, audio) };
  }

  #became(what: Change['what'], from: string, to: string): void {
    if (from !== to && from !== '' && to !== '') this.#changes = remember(this.#changes, { what, from, to, at: this.#clock.now() });
  }

  #stirred(what: 'jump' | 'gap'): void {
    if (what === 'gap') {
      this.#report = { ...this.#report, gaps: this.#report.gaps + 1 };
      return;
    }
    this.#report = { ...this.#report, jumps: this.#report.jumps + 1 };
    this.#jumps = remember(this.#jumps, { at: this.#clock.now() });
  }

  #names(media: MediaKind, codec: string): void {
    if (this.#uncarried.length < mostNames && !this.#uncarried.some((named) => named.media === media && named.codec === codec)) this.#uncarried.push({ media, codec: codec.slice(0, longestName) });
    this.#stirredAt = this.#clock.now();
  }

  #facts(): IngestFacts {
    const gauge = this.#gauge;
    return {
      session: gauge?.session ?? null,
      video: gauge?.video ?? null,
      audio: gauge?.audio ?? null,
      arrival: gauge?.arrival ?? noArrival,
      line: gauge?.lineFacts ?? null,
      broadcast: this.#broadcast(),
      protection: this.#protection,
      ...this.#beside(),
      uncarried: this.#uncarried,
    };
  }

  #broadcast(): BroadcastFacts {
    const now = this.#clock.now();
    const { since, sessionCount, reconnects, jumps, gaps } = this.#report;
    return {
      ...{ since, sessions: sessionCount, reconnects, jumps, gaps, lastEnd: this.#lastEnd },
      recentReconnects: this.#reconnects.filter(({ at }) => now - at < reconnectMemory).length,
      recentRivals: this.#rivals.filter(({ at }) => now - at < rivalMemory).length,
      recentJumps: this.#jumps.filter(({ at }) => now - at < minute).length,
      changes: this.#changes.map(({ what, from, to, at }) => ({ what, from, to, ago: Math.round(now - at) })),
    };
  }

  #gopOf(gauge: SessionGauge | null): IngestReport['gop'] {
    const { gop } = this.#report;
    const facts = gauge?.video?.gop;
    if (!facts || facts.min === null || facts.max === null) return gop;
    return { min: Math.min(facts.min, gop?.min ?? facts.min), max: Math.max(facts.max, gop?.max ?? facts.max) };
  }

  #sessionReport(gauge: SessionGauge, end: EndReason | null): IngestReport['sessions'][number] {
    const { protocol, software, since } = gauge.session;
    return { protocol, software, since, until: this.#clock.wall(), end, bytes: gauge.bytes, line: gauge.lastLine };
  }

  #freshReport(): IngestReport {
    const wall = this.#clock.wall();
    const history = new Seconds(this.#clock.now()).history;
    return { since: wall, until: wall, sessions: [], sessionCount: 0, reconnects: 0, jumps: 0, gaps: 0, video: [], audio: [], gop: null, history, findings: [] };
  }
}

const remember = <T extends Moment>(moments: readonly T[], moment: T): T[] => [...moments, moment].slice(-mostMoments);

const sizeOf = ({ width, height }: VideoShape): string => (width === null || height === null ? '' : `${width}×${height}`);
