/**
 * A pipeline as an operator writes it down: tasks, what each of them needs, and how urgent it is. Pure. Where the words
 * come from is `server/pipeline/read.ts`; what becomes of them for one video is `plan.ts`.
 *
 *     lowest ─▶ lowest-track ─▶ storyboard, posters, preview      sound      texts
 *     others ─▶ others-tracks
 */
import type { Watermark } from './work.ts';

/** Where jobs of a task run: `light` takes next to nothing and needs the catalog, so it stays in the server itself, as does `captions`, which reads whole files. */
export type TaskClass = 'encode' | 'picture' | 'light' | 'captions';
/** What a task is done for, once each. */
export type TaskEach = 'chunk' | 'rung' | 'track' | 'video';

export type WatermarkOptions = {
  /** Absolute, and of its bytes. */
  readonly image: { readonly path: string; readonly digest: string };
  readonly place: Watermark['place'];
  readonly opacity: number;
};

export type TaskOptions =
  | { readonly kind: 'encode'; readonly rungs: 'lowest' | 'others' | 'all' }
  | { readonly kind: 'join' }
  | { readonly kind: 'sound' }
  /** `every`: seconds; null: by how long the video is. */
  | { readonly kind: 'storyboard'; readonly every: number | null; readonly columns: number; readonly rows: number; readonly width: number }
  | { readonly kind: 'posters'; readonly count: number }
  | { readonly kind: 'preview'; readonly seconds: number }
  | { readonly kind: 'texts' }
  | ({ readonly kind: 'watermark' } & WatermarkOptions);

export type TaskKind = TaskOptions['kind'];

export type Task = TaskOptions & {
  readonly name: string;
  /** Names of tasks. */
  readonly needs: readonly string[];
  readonly class: TaskClass;
  /** Higher goes first. */
  readonly priority: number;
  readonly attempts: number;
};
export type TaskOf<Kind extends TaskKind> = Extract<Task, { readonly kind: Kind }>;

export type Pipeline = {
  readonly name: string;
  /** As they are written down; none needs itself, by whatever way. */
  readonly tasks: readonly Task[];
};

/** What holds for tasks of a kind, and what they are where nothing is written down. */
export type KindRule = {
  readonly each: TaskEach;
  /** The first one is usual. */
  readonly classes: readonly [TaskClass, ...TaskClass[]];
  readonly priority: number;
  readonly attempts: number;
  /** A video is not ready before it is done, and shows why where it died. */
  readonly makesTracks: boolean;
};

export const kindRules: Readonly<Record<TaskKind, KindRule>> = {
  encode: { each: 'chunk', classes: ['encode'], priority: 10, attempts: 4, makesTracks: true },
  join: { each: 'rung', classes: ['light'], priority: 65, attempts: 4, makesTracks: true },
  sound: { each: 'track', classes: ['encode', 'picture'], priority: 50, attempts: 4, makesTracks: true },
  storyboard: { each: 'video', classes: ['picture'], priority: 40, attempts: 3, makesTracks: false },
  posters: { each: 'video', classes: ['picture'], priority: 40, attempts: 3, makesTracks: false },
  preview: { each: 'video', classes: ['picture'], priority: 40, attempts: 3, makesTracks: false },
  texts: { each: 'video', classes: ['captions', 'light'], priority: 40, attempts: 3, makesTracks: false },
  watermark: { each: 'video', classes: ['picture'], priority: 70, attempts: 3, makesTracks: true },
};

/** Of an encode task that makes the lowest rung: it goes before all other rungs of all videos. */
export const lowestPriority = 60;

export const taskKinds = Object.keys(kindRules).filter((kind): kind is TaskKind => kind in kindRules);
/** What lists a sound is a job of its task. */
export const makesTracks = (kind: string): boolean => kind === 'list-sound' || taskKinds.some((known) => known === kind && kindRules[known].makesTracks);

export const isTask =
  <Kind extends TaskKind>(kind: Kind) =>
  (task: Task): task is TaskOf<Kind> =>
    task.kind === kind;

/** The names along a way on which a task needs itself, the first one again at the end; null: there is none. */
export const cycleOf = (tasks: readonly Pick<Task, 'name' | 'needs'>[]): string[] | null => {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const clear = new Set<string>();
  const walk = (name: string, way: readonly string[]): string[] | null => {
    const at = way.indexOf(name);
    if (at !== -1) return [...way.slice(at), name];
    if (clear.has(name)) return null;
    for (const need of byName.get(name)?.needs ?? []) {
      const found = walk(need, [...way, name]);
      if (found) return found;
    }
    clear.add(name);
    return null;
  };
  for (const { name } of tasks) {
    const found = walk(name, []);
    if (found) return found;
  }
  return null;
};

/** Rungs that no task puts together, or two do, would be work for nothing. Null: it can be carried out; otherwise what is wrong, and with which task. */
export const contradictionOf = ({ tasks }: Pick<Pipeline, 'tasks'>): { readonly task: string; readonly words: string } | null => {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const needsOf = (task: Task, kind: TaskKind): Task[] => task.needs.flatMap((name) => byName.get(name) ?? []).filter((need) => need.kind === kind);
  const encodes = tasks.filter(isTask('encode'));
  const joins = tasks.filter(isTask('join'));
  for (const join of joins) if (needsOf(join, 'encode').length === 0) return { task: join.name, words: 'it joins nothing: it has to need a task of kind encode' };
  for (const encode of encodes) {
    const behind = joins.filter(({ needs }) => needs.includes(encode.name));
    if (behind.length !== 1) return { task: encode.name, words: behind.length === 0 ? 'no task of kind join needs it: what it makes would never be shown' : `${behind.map(({ name }) => `"${name}"`).join(' and ')} both join it` };
    const same = encodes.find((other) => other !== encode && (other.rungs === encode.rungs || other.rungs === 'all'));
    if (same) return { task: encode.name, words: `"${same.name}" makes the same rungs` };
    if (needsOf(encode, 'watermark').length > 1) return { task: encode.name, words: 'pictures carry one watermark' };
  }
  const [first, ...rest] = encodes.map((encode) => ({ encode, mark: needsOf(encode, 'watermark')[0]?.name ?? null }));
  const other = rest.find(({ mark }) => mark !== first?.mark);
  if (first && other) return { task: other.encode.name, words: `it has not the watermark of "${first.encode.name}": it would come and go while somebody watches` };
  for (const mark of tasks.filter(isTask('watermark'))) if (!encodes.some(({ needs }) => needs.includes(mark.name))) return { task: mark.name, words: 'no task of kind encode needs it: nothing would carry it' };
  for (const kind of ['sound', 'storyboard', 'posters', 'preview', 'texts'] as const) {
    const [, second] = tasks.filter(isTask(kind));
    if (second) return { task: second.name, words: `it is the second of kind ${kind}` };
  }
  return null;
};
