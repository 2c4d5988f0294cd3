/**
 * One caller's life on the side of the core:
 *
 *     admission ─▶ publishing ─▶ closed
 *
 * The thread with the socket brings its media in order, and only as much as was taken before: when the core is full,
 * nothing is said to be taken, the window fills, and the sender is told of less room.
 */
import { TsDemuxer, type TsFinding } from '../../packager/media/mpegts/demuxer.ts';
import { tsClock } from '../../packager/media/mpegts/wire.ts';
import type { EndReason, EvictReason, PublishSink, PublishVerdict } from '../../packager/media/publish.ts';
import type { SrtStatistics } from './connection.ts';
import { evictionWords, wordsOf, type SrtFault } from './errors.ts';
import { opensWith, readKeyMaterial } from './key-material.ts';
import type { LogLevel, SessionContext, SessionFacts, SessionState } from './session-context.ts';

type Media = { readonly bytes: Uint8Array; readonly missing: number };

/** Of MPEG-TS in a packet of SRT, at the most: 1456 bytes. */
const mostTsPackets = 7;

export class SrtSession {
  readonly #context: SessionContext;
  readonly #since: number;
  readonly #sinceTick: number;
  readonly #demuxer: TsDemuxer;
  #state: SessionState = 'admission';
  #sink: PublishSink | null = null;
  #passphrase: string | null = null;
  /** Why the passphrase, or its absence, does not fit. */
  #secretFault: SrtFault | null = null;
  #waiting: Media[] = [];
  #full = false;
  /** The sender has gone; what it sent is still its. */
  #over: EndReason | null = null;
  #bytesIn = 0;
  #units = 0;
  #mediaAt: number;
  #statistics: SrtStatistics | null = null;
  #cancelTimer: () => void = () => {};
  readonly #left = new AbortController();

  constructor(context: SessionContext) {
    this.#context = context;
    this.#since = context.clock.wall();
    this.#sinceTick = context.clock.now();
    this.#mediaAt = this.#sinceTick;
    this.#demuxer = new TsDemuxer({
      track: (config) => this.#sink?.track(config),
      unit: (unit) => {
        this.#units += 1;
        this.#mediaAt = context.clock.now();
        if (this.#sink?.write(unit) === false) this.#full = true;
      },
      event: (event) => this.#sink?.event(event),
      finding: (finding) => {
        this.#log('warn', 'srt.finding', { finding, words: findingWords(finding) });
        if (finding.code === 'unsupported-codec') this.#sink?.uncarried?.(finding.media, finding.codec);
      },
    });
  }

  get facts(): SessionFacts {
    const { call, address, software } = this.#context;
    return {
      ...{ id: call, protocol: 'srt', address, software, state: this.#state, since: this.#since },
      ...{ bytesIn: this.#bytesIn, units: this.#units, encrypted: this.#passphrase !== null, statistics: this.#statistics },
    };
  }

  /** Nothing is said to the sender before the desk has answered. */
  async ask(streamKey: string, keyMaterial: Uint8Array | null): Promise<void> {
    const { desk, limits, address, software } = this.#context;
    this.#setTimer(limits.admissionMs, () => this.#refuse('fault', 'the desk did not answer in time'));
    try {
      const verdict = await desk.admit({
        ...{ protocol: 'srt', key: streamKey, address, software, clock: tsClock },
        proves: (passphrase) => this.#proves(passphrase, keyMaterial),
        left: this.#left.signal,
        evict: (reason) => this.evict(reason),
      });
      this.#answer(verdict);
    } catch (error) {
      this.#log('error', 'srt.fault', { err: error });
      this.#refuse('fault', wordsOf('fault'));
    }
  }

  media(media: Media): void {
    if (this.#state !== 'publishing') return;
    this.#bytesIn += media.bytes.length;
    this.#waiting.push(media);
    this.#work();
  }

  /** The connection has ended: announced by the sender, or nothing was heard of it for too long. */
  ended(reason: 'announced' | 'lost', statistics: SrtStatistics | null): void {
    if (statistics) this.measured(statistics);
    if (this.#state === 'closed') return;
    this.#over = reason;
    if (this.#state === 'admission') this.#close(reason, 'info', 'the sender went before it was let in');
    else this.#work();
  }

  measured(statistics: SrtStatistics): void {
    this.#statistics = statistics;
    const { packets, bytes, lost, recovered, dropped, again, undecrypted, rtt, latencyMs } = statistics;
    const { damaged } = this.#demuxer.counters;
    this.#sink?.line?.({ packets, bytes, lost, recovered, dropped, again, undecrypted, damaged, rttMs: rtt / 1000, latencyMs, encrypted: this.#passphrase !== null });
  }

  evict(reason: EvictReason): void {
    if (this.#state === 'closed') return;
    this.#context.order({ type: 'end', call: this.#context.call });
    this.#close('evicted', 'info', evictionWords[reason], { reason });
  }

  async #proves(passphrase: string | null, keyMaterial: Uint8Array | null): Promise<boolean> {
    this.#passphrase = passphrase;
    const material = keyMaterial && readKeyMaterial(Buffer.from(keyMaterial));
    if (passphrase === null) this.#secretFault = keyMaterial ? 'no-passphrase-set' : null;
    else if (!material) this.#secretFault = 'passphrase-needed';
    else this.#secretFault = (await opensWith(material, passphrase)) ? null : 'wrong-passphrase';
    return this.#secretFault === null;
  }

  #answer(verdict: PublishVerdict): void {
    const { call, clock, limits, order } = this.#context;
    if (this.#state !== 'admission') {
      // The sender went, or was sent away, while the desk was thinking.
      if (verdict.ok) verdict.sink.end(this.#over ?? 'evicted');
      return;
    }
    if (!verdict.ok) {
      this.#refuse(this.#secretFault ?? verdict.code, this.#secretFault ? wordsOf(this.#secretFault) : verdict.message);
      return;
    }
    this.#sink = verdict.sink;
    this.#state = 'publishing';
    this.#mediaAt = clock.now();
    order({ type: 'accept', call, passphrase: this.#passphrase });
    this.#log('info', 'srt.publishing', { encrypted: this.#passphrase !== null });
    this.#watchForSilence(limits.idleMs);
  }

  #refuse(fault: SrtFault, why: string): void {
    if (this.#state !== 'admission') return;
    this.#context.order({ type: 'refuse', call: this.#context.call, fault });
    this.#close('evicted', 'warn', why, { refused: fault });
  }

  /** Takes what has come, one piece after the other, until the core is full. */
  #work(): void {
    while (!this.#full && this.#state === 'publishing') {
      const media = this.#waiting.shift();
      if (!media) break;
      if (!this.#guard(() => this.#take(media))) return;
      this.#context.order({ type: 'taken', call: this.#context.call, bytes: media.bytes.length });
    }
    if (this.#full) this.#waitForRoom();
    else if (this.#over) this.#finish(this.#over);
  }

  #take({ bytes, missing }: Media): void {
    if (missing > 0) this.#demuxer.lost(missing * mostTsPackets);
    this.#demuxer.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  #finish(reason: EndReason): void {
    if (this.#state !== 'publishing') return;
    if (!this.#guard(() => this.#demuxer.end())) return;
    this.#close(reason, 'info', reason === 'announced' ? 'the sender ended the stream' : 'nothing was heard of the sender for too long');
  }

  #waitForRoom(): void {
    this.#sink?.drained().then(
      () => {
        this.#full = false;
        // The silence was ours.
        this.#mediaAt = this.#context.clock.now();
        this.#work();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #watchForSilence(ms: number): void {
    this.#setTimer(ms, () => {
      const { limits, clock, order, call } = this.#context;
      const left = this.#mediaAt + limits.idleMs - clock.now();
      if (this.#full || left > 0) {
        this.#watchForSilence(this.#full ? limits.idleMs : left);
        return;
      }
      order({ type: 'end', call });
      this.#close('timeout', 'warn', 'no picture and no sound came for too long; what is taken is MPEG-TS with H.264 or HEVC, AAC or Opus');
    });
  }

  /** False: something of ours threw, and the session has ended. */
  #guard(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#context.order({ type: 'end', call: this.#context.call });
    this.#log('error', 'srt.fault', { err: error });
    this.#close('evicted', 'error', wordsOf('fault'));
  }

  /** The one line, and the one end. The state comes first: the core may send the session away while it ends. */
  #close(reason: EndReason, level: LogLevel, why: string, more: Readonly<Record<string, unknown>> = {}): void {
    const state = this.#state;
    this.#state = 'closed';
    this.#left.abort();
    this.#cancelTimer();
    this.#waiting = [];
    const seconds = Math.round((this.#context.clock.now() - this.#sinceTick) / 1000);
    const seen = state === 'publishing' ? { units: this.#units, bytesIn: this.#bytesIn, ts: this.#demuxer.counters, srt: this.#statistics } : {};
    this.#log(level, 'srt.closed', { end: reason, why, ...more, state, seconds, ...seen });
    try {
      this.#sink?.end(reason);
    } catch (error) {
      this.#log('error', 'srt.end-failed', { err: error });
    }
    this.#context.onClosed();
  }

  #log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    const { call, address, software, log } = this.#context;
    log({ event, level, session: call, protocol: 'srt', address, software, ...fields });
  }

  #setTimer(ms: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#context.clock.after(ms, run);
  }
}

const findingWords = (finding: TsFinding): string => {
  switch (finding.code) {
    case 'unsupported-codec':
      return `${finding.codec} is not supported in MPEG-TS; choose H.264 or HEVC video, and AAC or Opus audio, in the encoder`;
    case 'extra-track':
      return `more than one track of ${finding.media}: the first one is taken`;
    case 'scrambled':
      return 'the transport stream is scrambled: only the passphrase of SRT is supported';
  }
};
