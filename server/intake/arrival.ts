/**
 * One original on its way. What is done for it is done in one line, a step after the other: what lands meanwhile is looked
 * at by the step that comes next.
 */
import { setImmediate } from 'node:timers/promises';
import type { TrackLogReader } from '../../packager/log/types.ts';
import { judgeMovie } from '../../packager/mp4/judge.ts';
import { Mp4Error, type Movie, type RangeSource } from '../../packager/mp4/movie.ts';
import { parseMovie } from '../../packager/mp4/parse.ts';
import { findMoov } from '../../packager/mp4/top-level.ts';
import type { MoviePlan } from '../../packager/mp4/virtual.ts';
import { endOfPlans, frameRateOf, longestSegment, uploadPolicy, virtualTracks } from '../../packager/mp4/virtual-facts.ts';
import { newId } from '../catalog/ids.ts';
import type { Step, VideoWithTracks } from '../catalog/videos.ts';
import type { SingleFlight } from '../delivery/single-flight.ts';
import { cutOut, logsOf, openFile, planOf, type OpenFile } from '../live/originals.ts';
import { factsOf } from '../live/runs.ts';
import { shownOf } from '../live/shown.ts';
import type { ArrivalsOptions } from './arrivals.ts';
import { GrowingVideo } from './growing.ts';
import type { Arriving } from './types.ts';

export type ArrivalOptions = ArrivalsOptions & {
  readonly reading: SingleFlight<Prepared | null>;
  /** Whether there is room for an index of so many bytes, as long as the rest arrives. */
  readonly mayHold: (bytes: number) => boolean;
};

/** What lands within so many ms after a look is looked at together; what lands after a pause, at once: it may be all that is missing. */
const gatherMs = 100;
/** A fragmented file says what it holds bit by bit: it is read again after this, and after ever longer. */
const againMs = 1_000;
const longestAgainMs = 60_000;

/** What is written into the catalog, once, and the same after a restart. */
type Told = Required<Pick<Step, 'run' | 'policy' | 'durationMs' | 'tracks'>>;

/** Read, judged and cut: it can be played as far as it has come. */
export type Prepared = {
  readonly growing: GrowingVideo;
  readonly told: Told;
  readonly weight: number;
  readonly movie: Movie;
  readonly source: RangeSource;
  /** All that was to be looked at had landed: there is nothing to judge anew. */
  readonly final: boolean;
};

export class Arrival {
  readonly #video: string;
  readonly #o: ArrivalOptions;
  #original: Arriving | null = null;
  #line: Promise<unknown> = Promise.resolve();
  #cancelLook: (() => void) | null = null;
  /** These bytes are waited for. */
  #wanted: { readonly from: number; readonly to: number } | null = null;
  #again = againMs;
  #notBefore = 0;
  #lookedAt = -Infinity;
  #prepared: Prepared | null = null;
  #isPlayable = false;
  #isWhole = false;
  /** What had landed once was lost: whatever was judged of it may not be what is there in the end. */
  #hasLost = false;
  /** Nothing more is to be done until it is whole: it is not standard, or it is gone. */
  #over = false;
  #gone = false;

  constructor(video: string, options: ArrivalOptions) {
    this.#video = video;
    this.#o = options;
  }

  /** Memory held. */
  get weight(): number {
    return this.#prepared?.weight ?? 0;
  }

  arrived(original: Arriving): void {
    if (this.#original && original.bytes < this.#original.bytes) this.#hasLost = true;
    this.#original = original;
    if (this.#over || this.#cancelLook) return;
    const { clock } = this.#o;
    const pause = Math.max(this.#lookedAt + gatherMs, this.#notBefore) - clock.now();
    if (pause <= 0) return this.#lookNow();
    this.#cancelLook = clock.after(pause, () => {
      this.#cancelLook = null;
      this.#lookNow();
    });
  }

  #lookNow(): void {
    this.#lookedAt = this.#o.clock.now();
    void this.#inLine(() => this.#look());
  }

  whole(path: string): Promise<'taken' | 'not-standard'> {
    return this.#inLineOrFail(async () => {
      this.#cancelLook?.();
      this.#cancelLook = null;
      const found = await this.#o.videos.withTracks(this.#video);
      if (!found || this.#gone) return 'not-standard';
      const { state } = found.video;
      if (state === 'ready') return 'taken';
      if (!isOurs(found)) return 'not-standard';
      this.#isWhole = true;
      // What could not be looked at while it arrived can be now.
      if (this.#prepared && !(await this.#isStandardStill(this.#prepared))) await this.#letGo();
      else this.#prepared ??= await this.#prepare(path, found);
      if (this.#prepared) return this.#finish(this.#prepared, found);
      this.#over = true;
      // Another run: what was shown of it is in the caches of those who watched, and what will be made is something else.
      if (state === 'playable') await this.#o.videos.become(this.#video, ['playable'], { state: 'processing', tracks: [], run: newId() });
      return 'not-standard';
    });
  }

  dropped(): void {
    this.#gone = true;
    this.#over = true;
    this.#cancelLook?.();
    void this.#inLine(() => this.#letGo());
  }

  /** What was told is told again after the next start. */
  close(): Promise<void> {
    this.dropped();
    return this.#line.then(() => undefined);
  }

  async #look(): Promise<void> {
    const original = this.#original;
    if (!original || this.#over) return;
    try {
      if (!this.#prepared && !(await this.#begin(original))) return;
      await this.#grow();
    } catch (error) {
      this.#over = true;
      await this.#letGo();
      throw error;
    }
  }

  /** False: the index is not there yet, or the file is none that can be played as it is. */
  async #begin(original: Arriving): Promise<boolean> {
    const { clock, disk, videos } = this.#o;
    if (this.#wanted && !original.has(this.#wanted.from, this.#wanted.to)) return false;
    if (clock.now() < this.#notBefore) return false;
    const file = await openFile(disk, original.path, original);
    try {
      const search = await findMoov(file.source, this.#has);
      this.#wanted = search.state === 'not-yet' ? search : null;
      this.#over = search.state === 'not-mp4';
      if (search.state !== 'found') return false;
    } finally {
      await file.close();
    }
    const found = await videos.withTracks(this.#video);
    if (!found || !isOurs(found)) {
      this.#over = true;
      return false;
    }
    const began = clock.now();
    try {
      this.#prepared = await this.#prepare(original.path, found);
      this.#over = this.#prepared === null;
    } catch (error) {
      if (!(error instanceof Mp4Error) || error.code !== 'not-yet') throw error;
      // Reading it again and again must cost less than it brings.
      this.#again = Math.min(longestAgainMs, Math.max(2 * this.#again, 10 * (clock.now() - began)));
      this.#notBefore = clock.now() + this.#again;
    }
    return this.#prepared !== null;
  }

  readonly #has = (from: number, to: number): boolean => this.#isWhole || (this.#original?.has(from, to) ?? false);

  /** Null: not all of it is standard, or there is no room for its index while it arrives. */
  #prepare(path: string, found: VideoWithTracks): Promise<Prepared | null> {
    return this.#o.reading.get(newId(), async () => {
      const file = await openFile(this.#o.disk, path, this.#original ? { size: this.#original.size, has: this.#has } : undefined);
      let prepared: Prepared | null = null;
      try {
        prepared = await this.#read(file, found);
      } catch (error) {
        const isUnfit = error instanceof Mp4Error && error.code !== 'not-yet';
        if (!isUnfit) throw error;
      } finally {
        if (!prepared) await file.close();
      }
      return prepared;
    });
  }

  async #read({ source, close }: OpenFile, found: VideoWithTracks): Promise<Prepared | null> {
    const movie = await parseMovie(source);
    const standard = await standardTracks(movie, source);
    if (!standard) return null;
    const promised = cutOut(found.tracks).map(({ original }) => original);
    const plan = await planOf(movie, { tracks: promised.length > 0 ? promised : standard.ids });
    if (!this.#isWhole && !this.#o.mayHold(plan.weight)) return null;
    const told = toldBefore(found) ?? toTell(plan);
    const facts = factsOf({ ...found, video: { ...found.video, ...told }, tracks: told.tracks });
    if (!facts) return null;
    const epoch = { run: facts.run, wallClock: facts.startedAt };
    const growing = new GrowingVideo({
      facts,
      logs: logsOf(plan, facts.tracks.map(({ id }) => id), source, epoch, 0),
      closeFile: close,
      shown: shownOf(found.video),
      readShown: async () => {
        const row = await this.#o.videos.get(this.#video);
        return row && shownOf(row);
      },
    });
    return { growing, told, weight: plan.weight, movie, source, final: standard.final };
  }

  async #grow(): Promise<void> {
    const prepared = this.#prepared;
    if (!prepared) return;
    const { growing, told } = prepared;
    // A film that is there already is long.
    while (!this.#gone && growing.landed(this.#has)) await setImmediate();
    if (this.#isPlayable || growing.reached === 0 || this.#gone) return;
    // Its key frames had not landed when it was judged: the first of them have now.
    if (!(await this.#isStandardStill(prepared))) {
      this.#over = true;
      return this.#letGo();
    }
    // After a restart it is playable still.
    if (!(await this.#o.videos.become(this.#video, ['uploading', 'playable'], { state: 'playable', ...told }))) {
      this.#over = true;
      return this.#letGo();
    }
    await growing.retrim();
    this.#isPlayable = true;
    this.#o.presentations.add(growing);
    // Until now it could not be found by whoever tells what its owner has changed.
    await growing.retrim();
  }

  /** All of it has landed: whoever watches hears the end, and whoever comes in the next moment finds it open. */
  async #finish({ growing, told, source }: Prepared, found: VideoWithTracks): Promise<'taken' | 'not-standard'> {
    while (growing.landed(this.#has)) await setImmediate();
    const open = { found: { ...found, video: { ...found.video, ...told }, tracks: told.tracks }, readers: new Map(told.tracks.flatMap(({ id }) => withReader(growing, id))) };
    const state = this.#o.behind.makesTracks(open) ? 'playable' : 'ready';
    if (!(await this.#o.videos.become(this.#video, ['uploading', 'playable'], { state, ...told, bytes: source.size }))) {
      await this.#letGo();
      return 'not-standard';
    }
    this.#over = true;
    this.#prepared = null;
    if (!this.#isPlayable) await growing.retrim();
    growing.end();
    if (!this.#isPlayable) this.#o.presentations.add(growing);
    this.#o.presentations.ended(growing);
    await growing.retrim();
    this.#o.behind.playable(this.#video);
    return 'taken';
  }

  /** Key frames that had not landed when it was judged may have by now. */
  async #isStandardStill({ movie, source, final }: Prepared): Promise<boolean> {
    return (final && !this.#hasLost) || (await standardTracks(movie, source)) !== null;
  }

  async #letGo(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (!prepared) return;
    if (this.#isPlayable) this.#o.presentations.drop(prepared.growing);
    else await prepared.growing.close();
    this.#isPlayable = false;
  }

  /** One step after the other; what goes wrong in one is told, and is no reason not to take the next. */
  #inLine(step: () => Promise<unknown>): Promise<void> {
    return this.#inLineOrFail(step).then(
      () => undefined,
      (error: unknown) => this.#o.log.error({ video: this.#video, err: error }, 'An upload could not be looked at while it arrives.'),
    );
  }

  #inLineOrFail<Result>(step: () => Promise<Result>): Promise<Result> {
    const done = this.#line.then(step);
    this.#line = done.catch(() => undefined);
    return done;
  }
}

const withReader = (growing: GrowingVideo, id: string): [string, TrackLogReader][] => {
  const reader = growing.reader(id);
  return reader ? [[id, reader]] : [];
};

/** Nobody else has made anything of it. */
const isOurs = ({ video, tracks }: VideoWithTracks): boolean =>
  video.state === 'uploading' || (video.state === 'playable' && tracks.every(({ kind, original }) => kind === 'text' || original !== null));

/**
 * What is played of it, when all of that can be cut out of it as it is: the picture and every sound, what the file has
 * switched on first. Null: something needs work.
 */
const standardTracks = async (movie: Movie, source: RangeSource): Promise<{ readonly ids: readonly number[]; readonly final: boolean } | null> => {
  const { tracks, final } = await judgeMovie(movie, source);
  const verdicts = new Map(tracks.map(({ id, use }) => [id, use]));
  const there = movie.tracks.filter(({ id }) => verdicts.get(id) !== 'none');
  const [picture] = there.filter((track) => track.kind === 'video').sort((a, b) => Number(b.enabled) - Number(a.enabled) || b.width * b.height - a.width * a.height);
  const sounds = there.filter(({ kind }) => kind === 'audio').sort((a, b) => Number(b.enabled) - Number(a.enabled));
  const played = [...(picture ? [picture] : []), ...sounds];
  return played.length > 0 && played.every(({ id }) => verdicts.get(id) === 'standard') ? { ids: played.map(({ id }) => id), final } : null;
};

/** Promised before a restart: players hold addresses with the names of that run. */
const toldBefore = ({ video, tracks }: VideoWithTracks): Told | null => {
  const { run, policy, durationMs } = video;
  return run !== null && policy !== null && durationMs !== null && tracks.length > 0 ? { run, policy, durationMs, tracks: tracks.filter(({ kind }) => kind !== 'text') } : null;
};

const toTell = (plan: MoviePlan): Told => {
  const duration = endOfPlans(plan.tracks);
  const policy = uploadPolicy({ longest: longestSegment(plan.tracks), duration, frameRate: frameRateOf(plan.tracks) });
  const tracks = virtualTracks(plan, policy.targetDuration).map(({ language, name, ...track }) => ({ ...track, language: language ?? null, name: name ?? null }));
  return { run: newId(), policy, durationMs: Math.round(duration * 1000), tracks };
};
