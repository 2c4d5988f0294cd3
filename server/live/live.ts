/**
 * Live, put together: the desk, the runs, what can be played, the disk, retention, and what a restart finds.
 * The rest of the server sees only this.
 */
import type { Clock } from '../../packager/clock.ts';
import { fsck } from '../../packager/log/fsck.ts';
import type { Disk } from '../../packager/log/types.ts';
import { mayTakeMore, mayGoOnRecording, type Watermarks } from '../../packager/log/watermarks.ts';
import type { EvictReason, PublishDesk } from '../../packager/media/publish.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ChannelRow } from '../catalog/channels.ts';
import type { ResolvedKey } from '../catalog/stream-keys.ts';
import type { VideoWithTracks } from '../catalog/videos.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import { openHook, type HookDuty, type HookSettings } from '../hooks/duty.ts';
import type { SecondSounds } from '../ladders/sounds.ts';
import type { LadderWorks } from '../ladders/works.ts';
import type { ServerLog } from '../log.ts';
import { IngestHealth } from '../health/ingest-health.ts';
import { RecordedCaptions } from '../captions/recorded-captions.ts';
import { Attempts } from './attempts.ts';
import type { ChannelStatus, LiveChannel, ShowSettings } from './channel.ts';
import { LiveDesk } from './desk.ts';
import { DiskWatch } from './disk-watch.ts';
import { PlayableVideos } from './presentations.ts';
import { RunStore } from './runs.ts';

export type LiveOptions = {
  readonly catalog: Catalog;
  readonly events: EventDispatcher;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly folder: string;
  readonly reconnectWindow: number;
  readonly takeoverSilence: number;
  readonly newVideoAfter: number;
  readonly keepMs: number;
  readonly syncEveryMs: number;
  readonly stallMs: number;
  readonly marks: Watermarks;
  readonly ladders: Pick<LadderWorks, 'wish' | 'soundBitRate' | 'open' | 'of' | 'forget'>;
  readonly sounds: Pick<SecondSounds, 'wish' | 'open' | 'of' | 'forget'>;
  /** Null: nobody is asked whether a publisher may begin. */
  readonly publishHook: HookSettings | null;
  /** A video is gone: nobody else has a hand on its files when this resolves. */
  readonly letGo: (video: string) => Promise<void>;
  readonly changed: (channelId: string, channelName: string, status: ChannelStatus) => void;
};

const OFFLINE: ChannelStatus = { state: 'offline', videoId: null, startedAt: null, until: null };
const RETENTION_EVERY_MS = 10 * 60_000;
/** What of a video says how it is shown. */
const shownBy: ReadonlySet<string> = new Set(['cutInMs', 'cutOutMs', 'protection']);

export class Live {
  readonly #o: LiveOptions;
  readonly #desk: LiveDesk;
  readonly #runs: RunStore;
  readonly #videos: PlayableVideos;
  readonly #watch: DiskWatch;
  readonly #captions: RecordedCaptions;
  readonly #health: IngestHealth;
  readonly #hook: HookDuty | null;
  readonly attempts: Attempts;
  #cancelRetention: (() => void) | null = null;

  constructor(options: LiveOptions) {
    const { catalog, clock, log, disk, folder } = options;
    this.#o = options;
    this.#health = new IngestHealth({ clock, log, reports: catalog.ingestReports, ladderOf: (video) => options.ladders.of(video), secondSoundOf: (video) => options.sounds.of(video) });
    this.attempts = new Attempts(clock);
    const { publishHook: settings } = options;
    this.#hook = settings && openHook({ settings, store: catalog.publishNotices, clock, log, videoOf: (channelId) => this.status(channelId).videoId });
    this.#runs = new RunStore({ folder, disk, clock, log, videos: catalog.videos, syncEveryMs: options.syncEveryMs, stallMs: options.stallMs, keepMs: options.keepMs });
    this.#videos = new PlayableVideos({ clock, log, open: (video) => this.#runs.open(video), liveOn: (name) => this.#byName(name)?.status.videoId ?? null });
    this.#desk = new LiveDesk({
      ...options,
      streamKeys: catalog.streamKeys,
      attempts: this.attempts,
      hook: this.#hook?.hook ?? null,
      passphraseOf: async (channelId) => (await catalog.channels.get(channelId))?.srtPassphrase ?? null,
      rival: (channelId) => this.#health.rival(channelId),
      measured: (channelId, request, sink) => this.#health.watch(channelId, request, sink),
      createRun: async (key, shape, onFault) => {
        const run = await this.#runs.create(await this.#asItIsNow(key), shape, onFault);
        this.#videos.add(run);
        this.#health.begins(key.channelId, run.facts.video, run.facts.policy.protection);
        return run;
      },
      finishRun: async (run) => {
        this.#videos.ended(run);
        // Before the world hears of the end: whoever asks then finds it.
        await this.#health.ends(run.facts.video);
        options.ladders.forget(run.facts.video);
        options.sounds.forget(run.facts.video);
        await this.#runs.finish(run);
      },
      changed: (channel, status) => {
        if (channel.idle) this.#health.idle(channel.id);
        options.changed(channel.id, channel.name, status);
      },
    });
    this.#watch = new DiskWatch({
      ...{ disk, folder, clock, log, marks: options.marks },
      changed: (level) => this.#runs.setRecording(mayTakeMore(level) ? 'all' : mayGoOnRecording(level) ? 'running' : 'none'),
    });
    this.#captions = new RecordedCaptions({
      ...{ disk, folder, clock, log, videos: catalog.videos },
      snapshotOf: (video) => this.#runs.snapshotOf(video),
      // What went wrong stands in the log.
      changed: (video) => this.#videos.forget(video).catch(() => undefined),
      mayWrite: () => mayTakeMore(this.#watch.level),
    });
    this.#listen(options.events);
  }

  get desk(): PublishDesk {
    return this.#desk;
  }
  get presentations(): PlayableVideos {
    return this.#videos;
  }
  get captions(): RecordedCaptions {
    return this.#captions;
  }
  get health(): IngestHealth {
    return this.#health;
  }
  get disk(): Pick<DiskWatch, 'level' | 'space' | 'look'> {
    return this.#watch;
  }
  get channels(): readonly LiveChannel[] {
    return this.#desk.channels;
  }

  get hookCounters(): HookDuty['counters'] | null {
    return this.#hook?.counters ?? null;
  }

  status(channelId: string): ChannelStatus {
    return this.#desk.channel(channelId)?.status ?? OFFLINE;
  }

  end(channelId: string, reason: EvictReason): Promise<boolean> {
    return this.#desk.end(channelId, reason);
  }

  /** Before anybody is let in: shows that were interrupted wait for their publishers, and the disk is compared with the catalog. */
  async start(): Promise<void> {
    const { disk, folder, catalog, log } = this.#o;
    await disk.mkdir(folder);
    await this.#watch.start();
    // Newest first: where a channel left several behind, the last one is what its viewers saw.
    for (const found of (await catalog.videos.unfinishedLive()).toReversed()) await this.#resume(found);
    const { orphans, missing } = await fsck({ disk, folder, known: await catalog.videos.allIds() });
    if (orphans.length > 0) log.warn({ orphans }, 'These folders belong to no video of the catalog. They are left alone: remove them, or restore the catalog that knows them.');
    if (missing.length > 0) log.warn({ missing }, 'These videos have no media on the disk.');
    if (this.#hook) await this.#hook.start();
    else await catalog.publishNotices.clear();
    this.#sweep();
  }

  async stop(): Promise<void> {
    this.#watch.stop();
    this.#cancelRetention?.();
    await this.#desk.close();
    await this.#health.stop();
    // Everybody has gone: what is owed for them is written down.
    await this.#hook?.stop();
    await this.#videos.close();
  }

  #byName(name: string): LiveChannel | null {
    return this.#desk.channels.find((channel) => channel.name === name) ?? null;
  }

  /** A publisher may have been in for a day; what its channel has become since is what holds for a video that begins. */
  async #asItIsNow(key: ResolvedKey): Promise<ResolvedKey> {
    const channel = await this.#o.catalog.channels.get(key.channelId);
    if (!channel) throw new Error('The channel has been removed.');
    const { title, visibility, protection } = channel;
    return { ...key, title, visibility, protection };
  }

  /** One show that cannot be taken up again is no reason for the others to stay away. */
  async #resume(found: VideoWithTracks): Promise<void> {
    try {
      await this.#takeUp(found);
    } catch (error) {
      this.#o.log.error({ video: found.video.id, err: error }, 'An interrupted show could not be taken up again.');
    }
  }

  async #takeUp(found: VideoWithTracks): Promise<void> {
    const { video, channelName } = found;
    const { channelId, ownerId, title, visibility } = video;
    const channel = channelId !== null && channelName !== null ? await this.#o.catalog.channels.get(channelId) : null;
    const run = await this.#runs.resume(found, (failed, error) => {
      const owner = channelId === null ? null : this.#desk.channel(channelId);
      if (owner && owner.run === failed) owner.fault(failed, error);
      else this.#o.log.error({ video: video.id, err: error }, 'A log of an interrupted show refuses.');
    });
    if (!run) {
      await this.#runs.fail(video.id, 'media-unreadable', 'The server stopped during this show, and what was stored of it cannot be read.');
      return;
    }
    this.#videos.add(run);
    if (!channel || channelId === null || channelName === null || this.#desk.channel(channelId)) {
      // Its channel is gone, or has a newer show: this one is over.
      await run.end();
      this.#videos.ended(run);
      await this.#runs.finish(run);
      return;
    }
    const key: ResolvedKey = { ...settingsOf(channel), allowedNetworks: [], channelId, streamKeyId: '', channelName, ownerId, visibility, title };
    await this.#health.resumes(channelId, video.id, run.facts.policy.protection);
    this.#desk.resume(key).resume(run);
    this.#o.log.info({ channel: channelId, video: video.id }, 'A show was interrupted by the stop of the server; it goes on when its publisher comes back.');
  }

  #listen(events: EventDispatcher): void {
    events.subscribe('stream-key.revoked', ({ channelId, streamKeyId }) => this.#desk.keyRevoked(channelId, streamKeyId));
    events.subscribe('channel.updated', async ({ channelId }) => {
      const channel = await this.#o.catalog.channels.get(channelId);
      if (channel) this.#desk.channel(channelId)?.becomes(settingsOf(channel));
    });
    events.subscribe('channel.deleted', ({ channelId }) => this.#desk.end(channelId, 'channel-deleted'));
    events.subscribe('video.updated', async ({ videoId, changed }) => {
      if (changed.some((field) => shownBy.has(field))) await this.#videos.forget(videoId);
    });
    events.subscribe('video.deleted', async ({ videoId }) => {
      await this.#videos.forget(videoId);
      await this.#o.letGo(videoId);
      await this.#runs.remove(videoId);
    });
  }

  /** Retention: what has expired goes, a few at a time. */
  #sweep(): void {
    const { catalog, clock, log } = this.#o;
    const remove = async (): Promise<void> => {
      for (const { id, title } of await catalog.videos.expired(clock.wall())) {
        if (await catalog.videos.remove(id)) log.info({ video: id, title }, 'A recording has reached its age and is removed.');
      }
      await catalog.sweep();
    };
    const again = (): void => {
      this.#cancelRetention = clock.after(RETENTION_EVERY_MS, () => this.#sweep());
    };
    remove().then(again, (error: unknown) => {
      log.error({ err: error }, 'Removing expired recordings failed.');
      again();
    });
  }
}

const settingsOf = ({ latency, ladder, protection, dvrSeconds, captions }: ChannelRow): ShowSettings => ({ latency, ladder, protection, dvrSeconds, captions });
