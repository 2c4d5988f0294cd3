/**
 * What is live on one channel: at most one publisher, one show, and the window in which a lost publisher may
 * come back.
 *
 *     offline ──publisher──▶ starting ──gate opens──▶ live ◀──returns── waiting
 *        ▲                                             │  └──lost────────▶  │
 *        └────────────── announced end, window over ◀──┴────────────────────┘
 */
import type { Clock } from '../../packager/clock.ts';
import type { KeyPicture } from '../../packager/live/key-picture.ts';
import type { LiveRun } from '../../packager/live/run.ts';
import { Show, type ShowShape } from '../../packager/live/show.ts';
import { CodecError } from '../../packager/media/codec-error.ts';
import type { EndReason, EvictReason, PublishRequest, PublishSink } from '../../packager/media/publish.ts';
import type { AccessUnit, TrackConfig, TrackKind } from '../../packager/media/unit.ts';
import type { ResolvedKey } from '../catalog/stream-keys.ts';
import type { SecondSounds } from '../ladders/sounds.ts';
import type { LadderWorks } from '../ladders/works.ts';
import type { ServerLog } from '../log.ts';
import { contestedAgain, contestedBy, ruling, type Claim, type Holder, type Ruling } from './takeover.ts';

export type ChannelState = 'offline' | 'starting' | 'live' | 'waiting';

/** What pages are told of a channel. */
export type ChannelStatus = {
  readonly state: ChannelState | 'ended';
  readonly videoId: string | null;
  readonly startedAt: number | null;
  /** End of the reconnect window, ms since 1970, while waiting. */
  readonly until: number | null;
};

/** What the channel needs of the server: where runs are kept, and who wants to know. */
export type ChannelHost = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly reconnectWindow: number;
  readonly newVideoAfter: number;
  /** After so long without media anybody may take over. */
  readonly takeoverSilence: number;
  readonly createRun: (owner: ResolvedKey, shape: ShowShape, onFault: (error: unknown) => void) => Promise<LiveRun>;
  readonly finishRun: (run: LiveRun) => Promise<void>;
  readonly ladders: Pick<LadderWorks, 'wish' | 'soundBitRate' | 'open'>;
  readonly sounds: Pick<SecondSounds, 'wish' | 'open'>;
  readonly changed: (channel: LiveChannel, status: ChannelStatus) => void;
};

/** What of a channel's settings says how its shows are made. */
export type ShowSettings = Pick<ResolvedKey, 'latency' | 'ladder' | 'protection' | 'dvrSeconds' | 'captions'>;

type Session = {
  readonly request: PublishRequest;
  readonly key: ResolvedKey;
  /** Which of the desk's questions it came with: they may be answered in another order. */
  readonly asked: number;
  /** Monotonic ms of the last media. */
  lastMedia: number;
  sent: boolean;
  contestedUntil: number;
  /** Another encoder wanted its place and was refused. */
  hasRival: boolean;
  readonly since: number;
  readonly configs: Partial<Record<TrackKind, TrackConfig>>;
  /** Bits a second that it said it would send. */
  rates: Partial<Record<TrackKind, number>>;
};

export class LiveChannel {
  readonly id: string;
  readonly name: string;
  readonly #host: ChannelHost;
  #key: ResolvedKey;
  #session: Session | null = null;
  #show: Show | null = null;
  /** The show whose end has been begun: a second reason to end it changes nothing. */
  #ending: Show | null = null;
  /** Monotonic ms when the show's run was made. */
  #runSince = 0;
  #cancelWindow: (() => void) | null = null;
  #until: number | null = null;
  /** Endings are awaited in order; a new publisher waits for them. */
  #work: Promise<void> = Promise.resolve();

  constructor(key: ResolvedKey, host: ChannelHost) {
    this.id = key.channelId;
    this.name = key.channelName;
    this.#key = key;
    this.#host = host;
  }

  get state(): ChannelState {
    if (!this.#show) return 'offline';
    if (!this.#session) return this.#show.run ? 'waiting' : 'offline';
    return this.#show.run ? 'live' : 'starting';
  }

  get status(): ChannelStatus {
    const videoId = this.#show?.run?.facts.video ?? null;
    return { state: this.state, videoId, startedAt: this.#show?.run?.facts.startedAt ?? null, until: this.#until };
  }

  get idle(): boolean {
    return this.#session === null && this.#show === null;
  }

  get run(): LiveRun | null {
    return this.#show?.run ?? null;
  }

  /** Of the show that is on. */
  get newestKey(): KeyPicture | null {
    return this.#show?.newestKey ?? null;
  }

  /** Something to read in the show that is on. */
  caption(language: string, text: string, durationMicros: number): ReturnType<Show['caption']> {
    return this.#show?.caption(language, { text, durationMicros }) ?? null;
  }

  /** Whether a publisher may have the channel now. */
  admits(claim: Claim): Ruling {
    const holder = this.#holder;
    return holder ? ruling(holder, claim, this.#host.clock.now(), this.#host.takeoverSilence) : 'free';
  }

  /** A second encoder with the key of the one that is on was refused: it will come again. True: it is the first time. */
  rivalRefused(): boolean {
    const session = this.#session;
    if (!session) return false;
    const isFirst = !session.hasRival;
    session.hasRival = true;
    session.contestedUntil = contestedAgain(this.#host.clock.now());
    return isFirst;
  }

  get #holder(): Holder | null {
    const session = this.#session;
    return session && { ...session, address: session.request.address, streamKeyId: session.key.streamKeyId };
  }

  /** Whether this publisher has the channel. */
  isOf(request: PublishRequest): boolean {
    return this.#session?.request === request;
  }

  usesKey(streamKeyId: string): boolean {
    return this.#session?.key.streamKeyId === streamKeyId;
  }

  /** A publisher may be in for days: what its channel has become holds for the show that begins next. */
  becomes(settings: ShowSettings): void {
    this.#key = { ...this.#key, ...settings };
  }

  /** Takes a publisher in, in place of one that may still be there. */
  async attach(request: PublishRequest, key: ResolvedKey, asked: number): Promise<PublishSink> {
    const now = this.#host.clock.now();
    const contestedUntil = contestedBy(this.#holder, { address: request.address, streamKeyId: key.streamKeyId }, now);
    const session: Session = { request, key, asked, lastMedia: now, sent: false, contestedUntil, hasRival: false, since: now, configs: {}, rates: {} };
    const old = this.#session;
    this.#session = session;
    this.#key = key;
    if (old) {
      old.request.evict('taken-over');
      this.#then(() => this.#show?.pause());
    }
    await this.#settled();
    if (this.#session === session) {
      this.#closeWindow();
      this.#show ??= this.#newShow();
      this.#show.begin(request.clock);
      this.#tell();
    }
    return this.#sink(session);
  }

  /** A run that a crash or a restart interrupted: its window opens now. */
  resume(run: LiveRun): void {
    this.#runSince = this.#host.clock.now() - Math.max(0, this.#host.clock.wall() - run.facts.startedAt);
    this.#show = this.#newShow(run);
    this.#openWindow();
  }

  /** A log of the run refuses: the show cannot go on. */
  fault(run: LiveRun, error: unknown): void {
    if (this.#show?.run === run) this.#fault(this.#show, error);
  }

  /** Ends the show at once, whoever is sending. */
  async end(reason: EvictReason): Promise<void> {
    this.#evict(reason);
    this.#finish();
    await this.#settled();
  }

  /** Lets the publisher go and leaves the show to be resumed: the server stops. */
  async suspend(): Promise<void> {
    this.#evict('shutting-down');
    this.#closeWindow();
    this.#then(() => this.#show?.pause());
    await this.#settled();
    await this.#show?.release();
    await this.#show?.run?.close();
    this.#show = null;
  }

  #evict(reason: EvictReason): void {
    const session = this.#session;
    this.#session = null;
    session?.request.evict(reason);
  }

  #newShow(run?: LiveRun): Show {
    const key = this.#key;
    const show: Show = new Show({
      clock: this.#host.clock,
      wish: { latency: key.latency, dvrSeconds: key.dvrSeconds, captions: key.captions, ladder: this.#host.ladders.wish(key.ladder), secondSound: this.#host.sounds.wish(this.#host.ladders.soundBitRate(key.ladder)) },
      ladder: (made) => this.#host.ladders.open(made, key.ladder),
      secondSound: (made) => this.#host.sounds.open(made),
      ...(run && { run }),
      open: async (shape) => {
        const made = await this.#host.createRun(key, shape, (error) => this.#fault(show, error));
        if (this.#show === show) this.#runSince = this.#host.clock.now();
        return made;
      },
      opened: () => this.#tell(),
      fault: (error) => this.#fault(show, error),
    });
    return show;
  }

  #sink(session: Session): PublishSink {
    const current = (): Show | null => (this.#session === session ? this.#show : null);
    return {
      track: (config) => {
        session.configs[config.kind] = config;
        this.#guard(session, () => current()?.track(config) === 'new-run' && this.#renew(session));
      },
      write: (unit) => {
        session.lastMedia = this.#host.clock.now();
        session.sent = true;
        this.#guard(session, () => this.#write(session, unit));
        return !current()?.full;
      },
      drained: async () => current()?.room(),
      event: (event) => current()?.event(event),
      hint: (metadata) => {
        session.rates = declaredRates(metadata);
        current()?.declare(session.rates);
      },
      end: (reason) => this.#ended(session, reason),
    };
  }

  #write(session: Session, unit: AccessUnit): void {
    if (this.#session !== session) return;
    const old = this.#show?.run && this.#host.clock.now() - this.#runSince > this.#host.newVideoAfter;
    if (old && unit.key && (unit.kind === 'video' || !session.configs.video)) this.#renew(session);
    if (this.#show?.write(unit) === 'new-run') {
      this.#renew(session);
      this.#show?.write(unit);
    }
  }

  /** What comes now needs a video of its own: other tracks, or a channel that never stops. */
  #renew(session: Session): void {
    const finished = this.#show;
    if (finished) this.#then(() => this.#close(finished));
    const show = this.#newShow();
    this.#show = show;
    show.begin(session.request.clock);
    show.declare(session.rates);
    for (const config of Object.values(session.configs)) show.track(config);
  }

  /** What cannot be read costs its sender the session, and nobody else anything. */
  #guard(session: Session, run: () => unknown): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#host.log.warn({ channel: this.id, reason: error.message }, 'A publisher sent media that cannot be read.');
      this.#ended(session, 'protocol-error');
      session.request.evict('fault');
    }
  }

  #ended(session: Session, reason: EndReason): void {
    if (this.#session !== session) return;
    this.#session = null;
    if (reason === 'announced') {
      this.#finish();
      return;
    }
    this.#then(() => this.#show?.pause());
    this.#then(() => {
      if (this.#session || this.#ending === this.#show) return;
      if (this.#show?.run) this.#openWindow();
      else this.#finish(); // Nothing was ever shown.
    });
  }

  #openWindow(): void {
    const { clock, reconnectWindow } = this.#host;
    this.#until = clock.wall() + reconnectWindow;
    this.#cancelWindow = clock.after(reconnectWindow, () => this.#finish());
    this.#tell();
  }

  #closeWindow(): void {
    this.#cancelWindow?.();
    this.#cancelWindow = null;
    this.#until = null;
  }

  #finish(): void {
    this.#closeWindow();
    const show = this.#show;
    if (!show || this.#ending === show) return;
    this.#ending = show;
    this.#then(async () => {
      try {
        await this.#close(show);
      } finally {
        // A publisher that came meanwhile gets a show of its own, also when the catalog did not hear of the end.
        if (this.#show === show) this.#show = null;
        this.#ending = null;
        this.#tell(show.run?.facts.video);
      }
    });
  }

  async #close(show: Show): Promise<void> {
    try {
      await show.finish();
      if (show.droppedEvents > 0) this.#host.log.info({ channel: this.id, events: show.droppedEvents }, 'Timed metadata was dropped: too much of it, too large, or unreadable.');
    } finally {
      if (show.run) await this.#host.finishRun(show.run);
    }
  }

  #fault(show: Show, error: unknown): void {
    this.#host.log.error({ channel: this.id, err: error }, 'The show cannot go on.');
    if (this.#show !== show || this.#ending === show) return;
    this.#evict('fault');
    this.#finish();
  }

  #then(task: () => unknown): void {
    this.#work = this.#work.then(task).then(
      () => undefined,
      (error: unknown) => this.#host.log.error({ channel: this.id, err: error }, 'Ending a session failed.'),
    );
  }

  /** All endings that have been begun are over, those begun meanwhile included. */
  async #settled(): Promise<void> {
    for (let work: Promise<void> | null = null; work !== this.#work; ) {
      work = this.#work;
      await work;
    }
  }

  /** `ended`: the video that has just come to its end. */
  #tell(ended?: string): void {
    const status = this.status;
    this.#host.changed(this, ended !== undefined && status.state === 'offline' ? { ...status, state: 'ended', videoId: ended } : status);
  }
}

/** onMetaData names kilobits a second; anything else that stands there is not believed. */
const declaredRates = (metadata: Readonly<Record<string, unknown>>): Partial<Record<TrackKind, number>> => {
  const rate = (value: unknown): number | null => (typeof value === 'number' && value > 0 && value < 1e6 ? Math.round(value * 1000) : null);
  const video = rate(metadata['videodatarate']);
  const audio = rate(metadata['audiodatarate']);
  return { ...(video !== null && { video }), ...(audio !== null && { audio }) };
};
