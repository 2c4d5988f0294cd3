/** Work behind videos in words: what a task or a job is, and how it stands. */
import type { JobState, Task, TaskState } from '../api/work.ts';
import { enWork } from '../words/en-work.ts';
import { t } from '../words/index.ts';

/** Of keys like `work.kind.sound` what stands behind the stem. */
export type Behind<Stem extends string> = keyof typeof enWork extends infer Key ? (Key extends `${Stem}.${infer Rest}` ? Rest : never) : never;

/** What these pages have no words for is its own word: operators name tasks, and a server may be newer than the page. */
export const kindText = (kind: string): string => {
  const key = `work.kind.${kind as Behind<'work.kind'>}` as const;
  return Object.hasOwn(enWork, key) ? t(key) : kind;
};

export const classText = (name: string): string => {
  const key = `work.class.${name as Behind<'work.class'>}` as const;
  return Object.hasOwn(enWork, key) ? t(key) : name;
};

/** Before the names of steps that make a file playable: no task of a pipeline is called so. */
const intake = 'intake.';

/** What comes after something that was made, and is called as that is. */
const follows: ReadonlySet<string> = new Set(['keep-pictures', 'list-sound']);

/** Names of our own pipelines have words; those of others stand beside what is done. */
export const taskText = ({ name, kind }: Pick<Task, 'name' | 'kind'>): string => {
  const key = `work.task.${name as Behind<'work.task'>}` as const;
  if (Object.hasOwn(enWork, key)) return t(key);
  return name === kind || name === `${intake}${kind}` ? kindText(kind) : `${kindText(kind)} (${follows.has(kind) ? kindText(name) : name})`;
};

/** All steps by which a file becomes playable are of one kind, and their tasks say which. */
export const jobText = ({ kind, task }: { kind: string; task: string | null }): string => (task === null ? kindText(kind) : taskText({ name: task, kind: kind === 'make' && task.startsWith(intake) ? task.slice(intake.length) : kind }));

export const stateText = (state: TaskState): string => t(`work.state.${state}`);

/** Of a job: one that waits for others has not come to its turn yet. */
export const standing = ({ state, waits }: { state: JobState; waits: number }): TaskState => {
  if (state === 'queued') return waits > 0 ? 'waiting' : 'queued';
  if (state === 'leased') return 'running';
  return state === 'dead' ? 'failed' : state;
};

export const looks: Readonly<Record<TaskState, string>> = { waiting: '', queued: '', running: 'work', done: 'good', failed: 'bad', cancelled: 'warn' };
