/**
 * Captions that somebody gives to a recording: written beside picture and sound as a track log of their own, on the grid
 * of the video. The log is whole before the catalog names it, and its folder is never used again, so nobody sees half a
 * track, and no cache gives the old one out under the new one's names.
 *
 *     WebVTT ──▶ new folder t<time> ──▶ row in place of the old one ──▶ presentation opened anew ──▶ old folder goes
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../packager/clock.ts';
import { initSegment } from '../../packager/cmaf/init.ts';
import { createTrackLog } from '../../packager/log/open.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { PresentationSnapshot, SegmentRef, TrackSnapshot } from '../../packager/snapshot.ts';
import { rescale, MICROS } from '../../packager/media/wire-time.ts';
import { TEXT_TIMESCALE, wvtt } from '../../packager/text/cue.ts';
import { captionFragment, configOf, ticksOf, type SourcedCue } from '../../packager/text/segment.ts';
import { languageName } from '../../packager/text/language-name.ts';
import type { WebVtt } from '../../packager/text/webvtt.ts';
import type { VideoSource } from '../catalog/schema.ts';
import type { TrackRow, VideoStore } from '../catalog/videos.ts';
import type { ServerLog } from '../log.ts';

export type RecordedCaptionsOptions = {
  /** `<data>/videos` */
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly videos: VideoStore;
  /** The recording as it is played; null: there is none. */
  readonly snapshotOf: (video: string) => Promise<PresentationSnapshot | null>;
  /** What is played of the video is to be opened anew. */
  readonly changed: (video: string) => void;
  readonly mayWrite: () => boolean;
};

export type CaptionTrack = { readonly language: string; readonly name: string };
export type PutOutcome = 'put' | 'no-video' | 'no-room' | 'too-many' | 'too-large';

type ToWrite = {
  readonly snapshot: PresentationSnapshot;
  readonly lead: TrackSnapshot;
  readonly language: string;
  readonly vtt: WebVtt;
  /** Of the file of captions, in the time of the media; µs. */
  readonly beginning: number;
};

const mostLanguages = 32;
const appendsAtOnce = 256;
/** Stand at the same time, and are looked at for every segment. Of these, the first 16 are shown: who stands behind hundreds is never read. */
const mostStanding = 400;
/** Long texts that stand for hours are in every segment of them. */
const mostBytes = 128 * 1024 * 1024;
/** Whoever was given the old track's address still fetches from it. */
const OLD_FOLDER_MS = 120_000;
/** Told to players; a segment of captions has some hundred bytes. */
const bitsPerSecond = 2_000;

export class RecordedCaptions {
  readonly #o: RecordedCaptionsOptions;
  /** One change of a video at a time. */
  readonly #work = new Map<string, Promise<void>>();

  constructor(options: RecordedCaptionsOptions) {
    this.#o = options;
  }

  async list(video: string): Promise<CaptionTrack[]> {
    const found = await this.#o.videos.withTracks(video);
    return (found?.tracks ?? []).flatMap(({ kind, language, name }) => (kind === 'text' && language !== null ? [{ language, name: name ?? languageName(language) }] : []));
  }

  put(video: string, language: string, name: string | null, vtt: WebVtt): Promise<PutOutcome> {
    return this.#inTurn(video, () => this.#put(video, language, name ?? languageName(language), vtt));
  }

  /** False: there were none in this language. */
  remove(video: string, language: string): Promise<boolean> {
    return this.#inTurn(video, async () => {
      const old = await this.#tracksOf(video, language);
      if (old.length === 0 || !(await this.#o.videos.setCaptions(video, language, null))) return false;
      this.#replaced(video, old);
      return true;
    });
  }

  async #put(video: string, language: string, name: string, vtt: WebVtt): Promise<PutOutcome> {
    const { clock, videos } = this.#o;
    if (!this.#o.mayWrite()) return 'no-room';
    const snapshot = await this.#o.snapshotOf(video);
    const lead = snapshot && leadOf(snapshot);
    if (!lead) return 'no-video';
    const source = (await videos.get(video))?.source;
    if (source === undefined) return 'no-video';
    const old = await this.#tracksOf(video, language);
    const languages = await this.list(video);
    if (old.length === 0 && languages.length >= mostLanguages) return 'too-many';
    const id = await this.#freeId(video, clock.wall());
    const folder = join(this.#o.folder, video, id);
    const rates = { bandwidth: bitsPerSecond, averageBandwidth: bitsPerSecond / 2 };
    const row: TrackRow = { id, kind: 'text', codec: wvtt, timescale: TEXT_TIMESCALE, ...rates, partTarget: null, group: 'captions', language, name, original: null };
    try {
      if (!(await this.#write(folder, { snapshot, lead, language, vtt, beginning: beginningOf(source, lead) }))) {
        await this.#drop(folder);
        return 'too-large';
      }
      if (await videos.setCaptions(video, language, row)) {
        this.#replaced(video, old);
        return 'put';
      }
    } catch (error) {
      await this.#drop(folder);
      throw error;
    }
    await this.#drop(folder);
    return 'no-video';
  }

  async #write(folder: string, { snapshot, lead, language, vtt, beginning }: ToWrite): Promise<boolean> {
    const { disk, clock, log } = this.#o;
    let failure: unknown = null;
    const writer = await createTrackLog({
      ...{ disk, clock, folder, syncEveryMs: 0, stallMs: 60_000 },
      onFault: ({ message, cause }) => {
        failure = cause ?? new Error(message);
        log.warn({ folder, err: cause }, `Captions were not written: ${message}.`);
      },
    });
    try {
      const init = initSegment({ kind: 'text', codec: wvtt, config: configOf(vtt.blocks), timescale: TEXT_TIMESCALE, language });
      const segments = lead.segments.slice(lead.firstSegment, lead.endSegment);
      const ticks = (time: number): number => rescale(time, lead.timescale, TEXT_TIMESCALE);
      const cues = movedTo(vtt, beginning);
      let epoch = -1;
      const pending: Promise<unknown>[] = [];
      let next = 0;
      let bytes = 0;
      let shown: SourcedCue[] = [];
      for (const [index, segment] of segments.entries()) {
        const known = snapshot.epochs.findLast((one) => one.epoch <= segment.epoch);
        if (segment.epoch !== epoch && known) {
          epoch = segment.epoch;
          const start = rescale(known.startMicros, MICROS, TEXT_TIMESCALE);
          await writer.beginEpoch({ epoch, timescale: TEXT_TIMESCALE, wallClock: known.wallClock, start, reorderDelay: 0, codecString: wvtt, run: known.run, init });
        }
        const from = ticks(segment.start);
        const to = Math.max(from + 1, ticks(borderAfter(segment, segments[index + 1])));
        // Sorted by their starts: what has not begun yet and what is over need no look.
        shown = shown.filter(({ cue }) => ticksOf(cue.endMicros) > from);
        for (let cue = cues[next]; cue && ticksOf(cue.cue.startMicros) < to; cue = cues[next]) {
          if (shown.length < mostStanding) shown.push(cue);
          next += 1;
        }
        // Segments of a night are thousands, and meanwhile whoever is live has the thread as well.
        await setImmediate();
        const data = captionFragment(index + 1, shown, from, to);
        bytes += data.reduce((sum, part) => sum + part.length, 0);
        if (bytes > mostBytes) return false;
        pending.push(writer.append({ dts: from, firstPts: from, duration: to - from, key: true, segmentStart: true, gap: false }, data));
        if (pending.length >= appendsAtOnce) await Promise.all(pending.splice(0));
      }
      await Promise.all(pending);
      await writer.sync();
      if (failure !== null || writer.stats().failed) throw new Error('The captions could not be written.', { cause: failure });
      return true;
    } finally {
      await writer.close();
    }
  }

  async #tracksOf(video: string, language: string): Promise<readonly string[]> {
    const found = await this.#o.videos.withTracks(video);
    return (found?.tracks ?? []).filter((track) => track.kind === 'text' && track.language === language).map(({ id }) => id);
  }

  /** By the time, so that it has never been used before, not by tracks that were removed either. */
  async #freeId(video: string, wall: number): Promise<string> {
    const folders = new Set(await this.#o.disk.list(join(this.#o.folder, video)));
    for (let time = wall; ; time += 1) {
      const id = `t${time.toString(36)}`;
      if (!folders.has(id)) return id;
    }
  }

  #replaced(video: string, old: readonly string[]): void {
    this.#o.changed(video);
    this.#o.clock.after(OLD_FOLDER_MS, () => {
      for (const id of old) void this.#drop(join(this.#o.folder, video, id));
    });
  }

  async #drop(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => this.#o.log.warn({ folder, err: error }, 'Old captions could not be removed.'));
  }

  async #inTurn<T>(video: string, task: () => Promise<T>): Promise<T> {
    const before = this.#work.get(video);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#work.set(video, done);
    try {
      await before;
      return await task();
    } finally {
      resolve();
      if (this.#work.get(video) === done) this.#work.delete(video);
    }
  }
}

const leadOf = ({ tracks }: PresentationSnapshot): TrackSnapshot | undefined =>
  tracks.find(({ kind }) => kind === 'video') ?? tracks.find(({ kind }) => kind === 'audio');

/** Sound that ends in a frame, or an epoch that ends: the next segment begins where it begins. */
const borderAfter = (segment: SegmentRef, next: SegmentRef | undefined): number =>
  next && next.epoch === segment.epoch ? next.start : segment.start + segment.duration;

/**
 * What a file of captions counts from. A recording begins with its first picture; the time of an upload is that of the
 * file which was uploaded, converted or not, and its picture may come later than its sound.
 */
const beginningOf = (source: VideoSource, { segments, firstSegment, timescale }: TrackSnapshot): number => {
  const first = source === 'live' ? segments[firstSegment] : undefined;
  return first ? rescale(first.start, timescale, MICROS) : 0;
};

/** A file counts from the beginning of the recording, whatever its media time. */
const movedTo = ({ cues }: WebVtt, startMicros: number): SourcedCue[] =>
  cues
    .map((cue, source) => ({ cue: { ...cue, startMicros: cue.startMicros + startMicros, endMicros: cue.endMicros + startMicros }, source }))
    .sort((a, b) => a.cue.startMicros - b.cue.startMicros);
