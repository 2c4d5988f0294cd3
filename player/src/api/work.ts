/** Work that goes on behind videos: tasks of one, as its owner sees them; jobs and workers of all, as administrators do. */
import { api } from './endpoints.ts';
import type { Topic } from './topics.ts';
import type { Instant } from './types.ts';

export const taskStates = ['waiting', 'queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type TaskState = (typeof taskStates)[number];

export type Task = {
  readonly name: string;
  readonly kind: string;
  readonly state: TaskState;
  /** 0 to 1. */
  readonly done: number;
  readonly jobs: number;
  readonly finished: number;
  readonly reason: string | null;
};
export type Tasks = {
  /** 0 to 1; null: there is nothing to be done. */
  readonly done: number | null;
  readonly tasks: readonly Task[];
};

export const jobStates = ['queued', 'leased', 'done', 'dead', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export type Job = {
  readonly id: string;
  readonly kind: string;
  readonly task: string | null;
  readonly class: string;
  readonly state: JobState;
  readonly priority: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly done: number;
  /** Others that have to be done before. */
  readonly waits: number;
  readonly video: { readonly id: string; readonly title: string } | null;
  readonly worker: string | null;
  readonly reason: string | null;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
};

export type Worker = {
  readonly id: string;
  readonly name: string;
  /** The server itself. */
  readonly here: boolean;
  readonly pid: number;
  readonly classes: readonly string[];
  readonly slots: number;
  readonly since: Instant;
  readonly running: readonly { readonly job: string; readonly kind: string; readonly video: string | null; readonly done: number }[];
};

export type JobCount = { readonly class: string; readonly state: JobState; readonly count: number };

export type WorkNow = {
  /** Null: nobody said. */
  readonly counts: readonly JobCount[] | null;
  readonly running: readonly Job[];
  readonly workers: readonly Worker[];
};

const isObject = (data: unknown): data is Readonly<Record<string, unknown>> => typeof data === 'object' && data !== null;

/** Null: nothing of the kind, or of a server that is newer than this page. */
export const readTasks = (data: unknown): Tasks | null => {
  if (!isObject(data) || !Array.isArray(data.tasks)) return null;
  return { done: typeof data.done === 'number' ? data.done : null, tasks: data.tasks as readonly Task[] };
};

/** What everybody hears says not why: what is known of that stays, and what fails anew has to be asked for. */
export const withReasons = (heard: Tasks, known: readonly Task[]): { readonly tasks: Tasks; readonly isWhole: boolean } => {
  const tasks = heard.tasks.map((task) => (task.state === 'failed' && task.reason === null ? { ...task, reason: known.find(({ name, state }) => name === task.name && state === 'failed')?.reason ?? null } : task));
  return { tasks: { done: heard.done, tasks }, isWhole: tasks.every(({ state, reason }) => state !== 'failed' || reason !== null) };
};

export const readWork = (data: unknown): WorkNow | null => {
  if (!isObject(data) || !Array.isArray(data.running) || !Array.isArray(data.workers)) return null;
  return { counts: Array.isArray(data.counts) ? (data.counts as JobCount[]) : null, running: data.running as Job[], workers: data.workers as Worker[] };
};

export const workTopic = (tell: (now: WorkNow) => void): Topic<WorkNow> => ({
  name: 'work',
  read: readWork,
  async poll() {
    try {
      const [running, workers] = await Promise.all([api.jobs({ state: 'leased' }), api.workers()]);
      return { counts: null, running: running.items, workers: workers.items };
    } catch {
      return null; // the next poll asks again; the page keeps what it knew
    }
  },
  tell,
});

export const tasksTopic = (id: string, tell: (now: Tasks) => void): Topic<Tasks> => ({
  name: `video:${id}`,
  read: (data) => readTasks(isObject(data) && !Array.isArray(data.tasks) ? data.tasks : data),
  async poll() {
    try {
      return await api.videoTasks(id);
    } catch {
      return null;
    }
  },
  tell,
});
