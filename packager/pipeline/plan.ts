/**
 * What a pipeline comes to for one video: jobs, and which of them wait for which. Pure. The same facts give the same keys,
 * so that whoever plans twice queues nothing twice; another version of the source, another ladder or another turn has others.
 */
import { createHash } from 'node:crypto';
import { chosenRungs, type PlannedRung, type RungThere } from './rungs.ts';
import type { RungWish } from '../live/ladder-plan.ts';
import { isTask, type Pipeline, type Task, type TaskOf } from './spec.ts';
import type { ChunkedWork, ChunkRange, EncodeWork, JoinWork, KeepPicturesWork, ListSoundWork, PicturesWork, PictureTreatment, PostersWork, PreviewWork, SoundMake, SoundPlace, SourceTrack, StoryboardWork, TextsWork, TrackSoundWork, Watermark, WatermarkWork } from './work.ts';

/** A run of whole intervals of the source's grid within one epoch. */
export type PlannedChunk = ChunkRange & { readonly seconds: number };

export type PlannedPicture = {
  /** As the video lists it. */
  readonly track: string;
  readonly source: SourceTrack;
  readonly width: number;
  readonly height: number;
  /** Pictures a second, on average. */
  readonly frameRate: number | null;
  /** Players everywhere can show it. */
  readonly standard: boolean;
  readonly treatment: PictureTreatment;
  /** All of it, in order. */
  readonly chunks: readonly PlannedChunk[];
};

export type PlannedSound = {
  readonly track: string;
  readonly source: SourceTrack;
  readonly place: SoundPlace;
  /** Null: it is shared by all rungs as it is. */
  readonly make: SoundMake | null;
};

/** `inMs`, `outMs`: what of the video was shown when they were. */
export type PicturesThere = { readonly version: string; readonly inMs: number | null; readonly outMs: number | null };

export type PipelineFacts = {
  readonly video: string;
  /** Says which bytes the source has. */
  readonly version: string;
  /** How often rungs of it have been dropped: what is made anew has another name. */
  readonly turn: number;
  /** The best that can be played; null: there is only sound. */
  readonly picture: PlannedPicture | null;
  readonly sounds: readonly PlannedSound[];
  /** The ladder that was asked for; empty: what is there is enough. */
  readonly ladder: readonly RungWish[];
  /** Pictures beside the best, whoever made them. */
  readonly there: readonly RungThere[];
  /** `lowest`: the others when somebody asks for the video. */
  readonly rungs: 'lowest' | 'all';
  /** There is a file that may carry chapters and subtitles, and nobody has looked for them. */
  readonly mayHaveTexts: boolean;
  /** Of each kind, those that were made last. */
  readonly pictured: Readonly<Record<PicturesWork['kind'], PicturesThere | null>>;
  /** What of the video is shown, ms; null: from its beginning, to its end. */
  readonly inMs: number | null;
  readonly outMs: number | null;
  /** Seconds. */
  readonly duration: number;
};

export type PlanPayload = EncodeWork | JoinWork | TrackSoundWork | ListSoundWork | PicturesWork | KeepPicturesWork | TextsWork | WatermarkWork;

/** A job, as the queue takes it. */
export type PlannedJob = {
  readonly key: string;
  readonly videoId: string;
  /** As the pipeline calls it. */
  readonly task: string;
  readonly kind: Task['kind'] | 'keep-pictures' | 'list-sound';
  readonly class: string;
  readonly payload: PlanPayload;
  /** Keys of jobs of this plan. */
  readonly needs: readonly string[];
  readonly priority: number;
  /** How much of the whole it is, in seconds of media encoded once. */
  readonly weight: number;
  readonly maxAttempts: number;
};

/** What one task makes; `chunk`: whoever works on the same one needs only that. */
type Made = { readonly job: PlannedJob; readonly chunk: number | null };

/** Ahead of whatever needs it. */
export const plan = (pipeline: Pipeline, facts: PipelineFacts): readonly PlannedJob[] => new Planning(pipeline, facts).jobs();

/** Encoding sound and decoding key pictures, beside encoding a small picture. */
const soundShare = 0.1;
const picturesShare = 0.05;

class Planning {
  readonly #facts: PipelineFacts;
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #made = new Map<string, readonly Made[]>();

  constructor({ tasks }: Pipeline, facts: PipelineFacts) {
    this.#facts = facts;
    this.#tasks = new Map(tasks.map((task) => [task.name, task]));
  }

  jobs(): readonly PlannedJob[] {
    for (const name of this.#tasks.keys()) this.#of(name);
    return [...this.#made.values()].flat().map(({ job }) => job);
  }

  #of(name: string): readonly Made[] {
    const known = this.#made.get(name);
    if (known) return known;
    const task = this.#tasks.get(name);
    if (!task) return [];
    for (const need of task.needs) this.#of(need);
    const made = this.#expand(task);
    this.#made.set(name, made);
    return made;
  }

  /** What a task that has nothing to do stands for is what it would have waited for. */
  #behind(name: string): readonly Made[] {
    const made = this.#of(name);
    return made.length > 0 ? made : (this.#tasks.get(name)?.needs ?? []).flatMap((need) => this.#behind(need));
  }

  #expand(task: Task): readonly Made[] {
    const { video, version, sounds, mayHaveTexts } = this.#facts;
    switch (task.kind) {
      case 'encode':
        return this.#encode(task);
      case 'join':
        return this.#join(task);
      case 'watermark': {
        const payload: WatermarkWork = { video, image: task.image, path: markPath(task) };
        const carried = [...this.#tasks.values()].some((other) => isTask('encode')(other) && other.needs.includes(task.name) && this.#isMade(other));
        return carried ? [this.#job(task, 'image', payload, 1)] : [];
      }
      case 'sound':
        return sounds.flatMap((sound) => (sound.make ? this.#sound(task, sound, sound.make) : []));
      case 'texts':
        return mayHaveTexts ? [this.#job(task, 'all', { video }, 1, null, { video, version })] : [];
      default:
        return this.#pictures(task);
    }
  }

  #sound(task: TaskOf<'sound'>, { track: replaces, source, place }: PlannedSound, make: SoundMake): readonly Made[] {
    const { video, version, turn, duration } = this.#facts;
    const payload: TrackSoundWork = { video, source, place, version, make };
    // Whatever its segments are taken from, they are the same.
    const made = this.#job(task, replaces, payload, duration * soundShare, null, { video, version, turn, source, make });
    const { key } = made.job;
    const list: ListSoundWork = { video, of: key, track: trackName('a', [video, version, turn, replaces, make]), replaces };
    return [made, { chunk: null, job: { ...made.job, key: `${key}/list`, kind: 'list-sound', class: 'light', payload: list, needs: [key], weight: 1 } }];
  }

  #markOf(task: TaskOf<'encode'>): Watermark | null {
    const mark = this.#needsOf(task).find(isTask('watermark'));
    return mark ? { path: markPath(mark), digest: mark.image.digest, place: mark.place, opacity: mark.opacity } : null;
  }

  /** Of this task, with the tracks that they become. */
  #rungsOf(task: TaskOf<'encode'>): readonly NamedRung[] {
    const { picture, ladder, there, video, version, turn } = this.#facts;
    if (!picture) return [];
    const watermark = this.#markOf(task);
    const nameIn = (rung: PlannedRung['work'], when: number): string => trackName('v', [video, version, when, watermark, rung]);
    const names = (rung: PlannedRung['work']): string[] => Array.from({ length: turn + 1 }, (_, before) => nameIn(rung, turn - before));
    const all = chosenRungs({ source: picture, ladder, there, marked: watermark !== null, names });
    return all.filter(({ isLowest }) => task.rungs === 'all' || isLowest === (task.rungs === 'lowest')).map((rung) => ({ ...rung, track: nameIn(rung.work, turn) }));
  }

  #isMade(task: TaskOf<'encode'>): boolean {
    if (this.#facts.rungs === 'lowest' && task.rungs !== 'lowest') return false;
    return this.#rungsOf(task).some(({ isThere }) => !isThere);
  }

  /** A task is planned whole as long as one of its rungs is missing: what its jobs are called may not depend on how far they are. */
  #work(task: TaskOf<'encode'>): ChunkedWork | null {
    const { picture, video, version } = this.#facts;
    if (!picture || !this.#isMade(task)) return null;
    return { video, source: picture.source, version, rungs: this.#rungsOf(task).map(({ work }) => work), treatment: picture.treatment, watermark: this.#markOf(task) };
  }

  #encode(task: TaskOf<'encode'>): readonly Made[] {
    const work = this.#work(task);
    if (!work) return [];
    return (this.#facts.picture?.chunks ?? []).map(({ epoch, from, to, seconds }, index) => {
      const payload: EncodeWork = { ...work, epoch, from, to };
      return this.#job(task, `${epoch}-${from}-${to}`, payload, seconds * work.rungs.length, index);
    });
  }

  #join(task: TaskOf<'join'>): readonly Made[] {
    const encodes = this.#encodesOf(task);
    const made: Made[] = [];
    // The lowest is ahead of what may have to wait for all others.
    for (const encode of encodes.toSorted((a, b) => Number(b.rungs === 'lowest') - Number(a.rungs === 'lowest'))) {
      const work = this.#work(encode);
      if (!work) continue;
      const others = task.needs.filter((need) => need === encode.name || !encodes.some(({ name }) => name === need));
      const missing = this.#rungsOf(encode).filter(({ isThere }) => !isThere);
      for (const [index, rung] of missing.entries()) {
        const join = this.#job({ ...task, needs: others }, rung.work.name, this.#joined(rung, work, encode), 1);
        const takesPlace = work.watermark !== null && encode.rungs !== 'lowest' && index === missing.length - 1;
        made.push(takesPlace ? this.#behindAll(task, join, made) : join);
      }
    }
    return made;
  }

  /** What takes the place of the source comes when all others are there: nothing is made of it any more. */
  #behindAll(task: TaskOf<'join'>, { job, chunk }: Made, beside: readonly Made[]): Made {
    const before = [...this.#tasks.values()].filter(isTask('join')).filter((other) => other !== task && !this.#allNeeds(other).includes(task));
    const keys = [...before.flatMap(({ name }) => this.#of(name)), ...beside].map((one) => one.job.key);
    return { chunk, job: { ...job, needs: [...new Set([...job.needs, ...keys])] } };
  }

  #encodesOf(join: TaskOf<'join'>): readonly TaskOf<'encode'>[] {
    return this.#needsOf(join).filter(isTask('encode'));
  }

  #needsOf({ needs }: Pick<Task, 'needs'>): readonly Task[] {
    return needs.flatMap((name) => this.#tasks.get(name) ?? []);
  }

  /** By whatever way. */
  #allNeeds(task: Task): readonly Task[] {
    const all = new Set<Task>();
    const add = (one: Task): void => {
      if (all.has(one)) return;
      all.add(one);
      for (const need of this.#needsOf(one)) add(need);
    };
    for (const need of this.#needsOf(task)) add(need);
    return [...all];
  }

  #joined({ work: rung, isLowest, track, replaces }: NamedRung, work: ChunkedWork, { priority }: Pick<Task, 'priority'>): JoinWork {
    const { video, picture } = this.#facts;
    const chunks = (picture?.chunks ?? []).map(({ epoch, from, to }) => ({ epoch, from, to }));
    // Where pictures carry a watermark, those of the source are not shown any more, and nothing can be made of them again.
    const isSpare = !isLowest && work.watermark === null;
    return { video, rung, track, work, chunks, beside: picture?.track ?? '', isSpare, priority, replaces };
  }

  #pictures(task: TaskOf<'storyboard' | 'posters' | 'preview'>): readonly Made[] {
    const { video, version, inMs, outMs, duration, pictured } = this.#facts;
    const there = pictured[task.kind];
    if (there && there.inMs === inMs && there.outMs === outMs) return [];
    const from = this.#shownBy(task);
    if (!from) return [];
    const what = pictureOptions(task);
    // Whichever track they are taken from, they are the same pictures; of what has been cut away there are none, and what was made of it is made anew when that is taken back.
    const made = this.#job(task, 'all', { ...what, video, ...from, inMs, outMs }, duration * picturesShare, null, { video, version, what, inMs, outMs, behind: there?.version ?? null });
    const { key } = made.job;
    const keep: KeepPicturesWork = { video, of: key };
    return [made, { chunk: null, job: { ...made.job, key: `${key}/keep`, kind: 'keep-pictures', class: 'light', payload: keep, needs: [key], weight: 1 } }];
  }

  /** The smallest picture that there will be when what the task needs is done, or the best where there is no other. */
  #shownBy(task: Task): Pick<PicturesWork, 'source' | 'best'> | null {
    const { picture, there } = this.#facts;
    if (!picture) return null;
    const waitedFor = this.#allNeeds(task).filter(isTask('join')).flatMap((join) => this.#encodesOf(join)).filter((encode) => this.#isMade(encode));
    // Those that are there are so under the names that they were given when they were made.
    const missing = waitedFor.flatMap((encode) => this.#rungsOf(encode)).filter(({ isThere }) => !isThere);
    const made = missing.map(({ track, work: { width, height } }): Shown => ({ source: { kind: 'log', folder: track }, width, height }));
    const all: readonly Shown[] = [...made, ...there.filter(({ isWhole }) => isWhole), picture];
    const { source } = all.reduce((least, one) => (one.width * one.height < least.width * least.height ? one : least));
    // What rungs are made of without being changed shows the same, and sharper.
    const isPlain = !this.#marked && !picture.treatment.deinterlace && picture.treatment.toneMap === null;
    return { source, best: isPlain && source !== picture.source ? picture.source : null };
  }

  get #marked(): boolean {
    return [...this.#tasks.values()].some(isTask('watermark'));
  }

  /** `about`: what its key is made of; absent: its payload, anew each time that rungs have been dropped. */
  #job(task: Task, what: string, payload: PlanPayload, weight: number, chunk: number | null = null, about: object = { payload, turn: this.#facts.turn }): Made {
    const { video } = this.#facts;
    const needs = task.needs.flatMap((name) => {
      const before = this.#behind(name);
      const same = chunk === null ? [] : before.filter((one) => one.chunk === chunk);
      return (same.length > 0 ? same : before).map(({ job }) => job.key);
    });
    const key = `${video}/${task.name}/${what}/${digestOf(about).slice(0, 16)}`;
    const { name, kind, class: jobClass, priority, attempts } = task;
    return { chunk, job: { key, videoId: video, task: name, kind, class: jobClass, payload, needs: [...new Set(needs)], priority, weight: Math.max(1, Math.round(weight)), maxAttempts: attempts } };
  }
}

type NamedRung = PlannedRung & { readonly track: string };
type Shown = Pick<PlannedPicture, 'source' | 'width' | 'height'>;

const pictureOptions = (task: TaskOf<'storyboard' | 'posters' | 'preview'>): StoryboardWork | PostersWork | PreviewWork => {
  if (task.kind === 'posters') return { kind: 'posters', count: task.count };
  if (task.kind === 'preview') return { kind: 'preview', seconds: task.seconds };
  const { kind, every, columns, rows, width } = task;
  return { kind, every, columns, rows, width };
};

/** By its bytes, so that another image is another file. */
const markPath = ({ image }: TaskOf<'watermark'>): string => `watermark-${image.digest.slice(0, 16)}.png`;

const digestOf = (facts: object): string => createHash('sha256').update(JSON.stringify(facts)).digest('hex');

/** As names of tracks are made everywhere: a letter, and what no other track of the video has. */
const trackName = (letter: 'v' | 'a', facts: readonly unknown[]): string => `${letter}${BigInt(`0x${digestOf(facts).slice(0, 15)}`).toString(36).padStart(12, '0')}`;
