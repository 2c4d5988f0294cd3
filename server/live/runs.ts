/**
 * Where runs are kept: the folder of a video with a log a track, and its row in the catalog. The row comes last,
 * so that a crash in between leaves a folder that nothing names (reported at the next start), never a video
 * without media.
 *
 *     data/videos/<id>/<track>/00000.cmaf …     a track that was written here
 *     data/videos/<id>/original                 an upload; its own tracks are cut out of it when they are asked for
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import { LiveRun, type KeptPolicy, type RunFacts, type RunTrack } from '../../packager/live/run.ts';
import { recordingSnapshot } from '../../packager/live/recording.ts';
import type { ShowShape } from '../../packager/live/show.ts';
import type { LogFault } from '../../packager/log/faults.ts';
import { createTrackLog, openTrackLog, openTrackLogReader } from '../../packager/log/open.ts';
import type { Disk, TrackLogReader } from '../../packager/log/types.ts';
import type { RecordingLog } from '../../packager/log/writer.ts';
import { MICROS } from '../../packager/media/wire-time.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import { isId, newId } from '../catalog/ids.ts';
import type { ResolvedKey } from '../catalog/stream-keys.ts';
import type { VideoStore, VideoWithTracks } from '../catalog/videos.ts';
import { SingleFlight } from '../delivery/single-flight.ts';
import type { ServerLog } from '../log.ts';
import { arrivingNames, cutOut, gridOf, openOriginal, originalName, type Original } from './originals.ts';
import { shownAs, shownOf, under } from './shown.ts';

export type RunStoreOptions = {
  /** `<data>/videos` */
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly videos: VideoStore;
  readonly syncEveryMs: number;
  /** A disk that takes longer for a write is not waited for. */
  readonly stallMs: number;
  /** How long recordings are kept; 0: for ever. */
  readonly keepMs: number;
};

/** How much of the disk is left to recordings: see the watermarks. */
export type Recording = 'all' | 'running' | 'none';

export type Recorded = {
  readonly snapshot: PresentationSnapshot;
  readonly readers: ReadonlyMap<string, TrackLogReader>;
  /** Memory that it holds while it is open, about. */
  readonly weight: number;
  readonly close: () => Promise<void>;
};

/** A row of a log's table, and what a presentation keeps of it. */
const bytesOfFragment = 400;
/** An index takes some hundred MB while it is read. */
const originalsAtOnce = 2;

export class RunStore {
  readonly #o: RunStoreOptions;
  readonly #logs = new Map<string, RecordingLog[]>();
  /** Everybody gets one of his own, but not all at once. */
  readonly #originals = new SingleFlight<Original>(originalsAtOnce);
  #recording: Recording = 'all';

  constructor(options: RunStoreOptions) {
    this.#o = options;
  }

  /** 'running': what has begun goes on; 'none': shows go on in memory only. */
  setRecording(recording: Recording): void {
    this.#recording = recording;
    if (recording === 'running') return;
    for (const log of [...this.#logs.values()].flat()) log.setRecording(recording === 'all');
  }

  async create(owner: ResolvedKey, shape: ShowShape, onFault: (error: unknown) => void): Promise<LiveRun> {
    const { videos, clock } = this.#o;
    const { protection } = owner;
    const facts: RunFacts = { video: newId(), run: newId(), ...shape, policy: under(protection, shape.policy) };
    const logs = await this.#openLogs(facts.video, facts.tracks, createTrackLog);
    if (this.#recording !== 'all') for (const log of logs.values()) log.setRecording(false);
    const { channelId, ownerId, title, visibility, latency, ladder } = owner;
    try {
      await videos.createLive({
        id: facts.video,
        ...{ channelId, ownerId, title, visibility, latency, ladder, protection },
        startedAt: facts.startedAt,
        run: facts.run,
        policy: { ...facts.policy, rhythm: facts.rhythm, ...madeOf(facts.tracks) },
        tracks: facts.tracks.map(({ rung: _rung, secondSound: _second, ...track }) => ({ ...track, language: track.language ?? null, name: track.name ?? null, original: null })),
      });
    } catch (error) {
      this.#logs.delete(facts.video);
      await Promise.all([...logs.values()].map((log) => log.close()));
      throw error;
    }
    return new LiveRun({ facts, rename: newId, logs, clock, onFault });
  }

  /** What a crash or a stop interrupted, ready to go on; null when it cannot be read. */
  async resume(found: VideoWithTracks, onFault: (run: LiveRun, error: unknown) => void): Promise<LiveRun | null> {
    const facts = factsOf(found);
    if (!facts) return null;
    try {
      const logs = await this.#openLogs(facts.video, facts.tracks, openTrackLog);
      if (this.#recording === 'none') for (const log of logs.values()) log.setRecording(false);
      const run: LiveRun = new LiveRun({ facts, names: newId(), rename: newId, logs, clock: this.#o.clock, onFault: (error) => onFault(run, error) });
      await run.recallEvents();
      await run.alignTracks();
      return run;
    } catch (error) {
      this.#o.log.error({ video: facts.video, err: error }, 'The logs of an interrupted show cannot be read.');
      return null;
    }
  }

  /** The show is over: ENDLIST has gone out; the catalog learns what there is. */
  async finish(run: LiveRun): Promise<void> {
    const { clock, keepMs } = this.#o;
    const { video } = run.facts;
    const endedAt = clock.wall();
    const durationMs = Math.round(run.endMicros / (MICROS / 1000));
    const expiresAt = keepMs > 0 ? endedAt + keepMs : null;
    this.#logs.delete(video);
    if (durationMs === 0) return this.fail(video, 'no-media', 'Nothing that can be played came before the show ended.');
    await this.#o.videos.endLive(video, { endedAt, durationMs, bytes: run.bytes, state: 'ready', expiresAt });
  }

  /** An interrupted show of which nothing can be read any more. */
  async fail(video: string, code: string, message: string): Promise<void> {
    await this.#o.videos.endLive(video, { endedAt: this.#o.clock.wall(), durationMs: 0, bytes: 0, state: 'failed', error: { code, message } });
  }

  /** A show that has ended, or an upload that has come, opened for reading; null when there is none to play. */
  async open(video: string): Promise<Recorded | null> {
    const found = isId(video) ? await this.#o.videos.withTracks(video) : null;
    if (!found || (found.video.state !== 'playable' && found.video.state !== 'ready')) return null;
    const facts = factsOf(found);
    if (!facts) return null;
    const readers = new Map<string, TrackLogReader>();
    let original: Original | null = null;
    let snapshot: PresentationSnapshot | null = null;
    const close = async (): Promise<void> => {
      for (const reader of readers.values()) await reader.close();
      await original?.close();
    };
    try {
      for (const { id, original: track } of found.tracks) {
        if (track === null) readers.set(id, await openTrackLogReader({ disk: this.#o.disk, folder: join(this.#o.folder, video, id), onFault: this.#faults(video) }));
      }
      if (cutOut(found.tracks).length > 0) {
        // Until all of it is there, whoever takes it in knows what can be played.
        if (await this.#isArriving(video)) return null;
        original = await this.#originals.get(newId(), () => this.#openOriginal(found, facts, readers));
        for (const [id, log] of original.logs) readers.set(id, log);
      }
      snapshot = await recordingSnapshot(facts, readers);
    } finally {
      // What cannot be played is asked for again and again: it must not leave a file open each time.
      if (!snapshot) await close();
    }
    const fragments = [...readers.values()].reduce((sum, reader) => sum + reader.snapshot().end - reader.snapshot().first, 0);
    return snapshot && { snapshot: shownAs(snapshot, shownOf(found.video)), readers, weight: fragments * bytesOfFragment + (original?.weight ?? 0), close };
  }

  #openOriginal({ video, tracks }: VideoWithTracks, { run, startedAt }: RunFacts, readers: ReadonlyMap<string, TrackLogReader>): Promise<Original> {
    const path = join(this.#o.folder, video.id, originalName);
    return openOriginal(this.#o.disk, path, tracks, gridOf(tracks, readers), { run, wallClock: startedAt });
  }

  async #isArriving(video: string): Promise<boolean> {
    return (await this.#o.disk.list(join(this.#o.folder, video))).some((name) => arrivingNames.includes(name));
  }

  /** What a recording is, for whoever does not want to read it. */
  async snapshotOf(video: string): Promise<PresentationSnapshot | null> {
    const recorded = await this.open(video);
    await recorded?.close();
    return recorded?.snapshot ?? null;
  }

  async remove(video: string): Promise<void> {
    if (isId(video)) await rm(join(this.#o.folder, video), { recursive: true, force: true });
  }

  async #openLogs(video: string, tracks: readonly RunTrack[], open: typeof createTrackLog): Promise<Map<string, RecordingLog>> {
    const { clock, disk, syncEveryMs, stallMs } = this.#o;
    const logs = new Map<string, RecordingLog>();
    for (const { id } of tracks) {
      logs.set(id, await open({ disk, clock, syncEveryMs, stallMs, folder: join(this.#o.folder, video, id), onFault: this.#faults(video) }));
    }
    this.#logs.set(video, [...logs.values()]);
    return logs;
  }

  #faults(video: string): (fault: LogFault) => void {
    return ({ kind, message, cause }) => this.#o.log.warn({ video, fault: kind, err: cause }, `A track log had trouble: ${message}.`);
  }
}

/** Null: nothing has been promised to anybody yet. */
export const factsOf = ({ video, tracks }: VideoWithTracks): RunFacts | null => {
  if (video.run === null || video.policy === null) return null;
  // Shows from before there was more to choose had the least of it.
  const { rhythm, rungs, secondSounds, ...policy } = { dvrSeconds: 0, closedCaptions: [], ...video.policy };
  const { protection } = video;
  return {
    video: video.id,
    run: video.run,
    startedAt: video.startedAt ?? video.createdAt,
    policy: under(protection, policy),
    rhythm,
    tracks: tracks.map(({ language, name, original: _original, ...track }) => {
      const rung = rungs?.[track.id];
      const secondSound = secondSounds?.[track.id];
      return { ...track, ...(language !== null && { language }), ...(name !== null && { name }), ...(rung && { rung }), ...(secondSound && { secondSound }) };
    }),
  };
};

/** What the catalog keeps of rungs and of second sounds beside their rows. */
const madeOf = (tracks: readonly RunTrack[]): Pick<KeptPolicy, 'rungs' | 'secondSounds'> => {
  const rungs = Object.fromEntries(tracks.flatMap(({ id, rung }) => (rung ? [[id, rung]] : [])));
  const secondSounds = Object.fromEntries(tracks.flatMap(({ id, secondSound }) => (secondSound ? [[id, secondSound]] : [])));
  return { ...(Object.keys(rungs).length > 0 && { rungs }), ...(Object.keys(secondSounds).length > 0 && { secondSounds }) };
};
