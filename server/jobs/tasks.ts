/**
 * The tasks of a video, as its owner sees them: jobs of one name together, how far each is, and all of them. Pure. Shares
 * are of the jobs' weights, so that what takes long counts for much; while jobs only go forward, so does the whole.
 */
import { failureCodes } from '../intake/types.ts';
import type { JobShare } from './queue.ts';

export const taskStates = ['waiting', 'queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type TaskState = (typeof taskStates)[number];

export type Task = {
  /** As the pipeline calls it, or `intake.` and the step of intake. */
  readonly name: string;
  /** What is done: a kind of the pipeline's tasks, or a step of intake. */
  readonly kind: string;
  readonly state: TaskState;
  /** 0 to 1. */
  readonly done: number;
  readonly jobs: number;
  readonly finished: number;
  /** Of what failed: a code, a colon, a sentence. */
  readonly reason: string | null;
};
export type Tasks = {
  /** Null: there has never been anything to do. */
  readonly done: number | null;
  readonly tasks: readonly Task[];
};

type Kind = Pick<JobShare, 'kind'>;

/** The steps by which a file becomes a video. */
export const isIntakes = ({ kind }: Kind): boolean => kind === 'inspect' || kind === 'make';
/** It is not intake's: neither one of those, nor what intake takes out of the file besides. */
export const isPipelines = ({ kind }: Kind): boolean => !isIntakes({ kind }) && kind !== 'captions';

/**
 * As people are told of a task. Jobs of intake are queued by what they do, and an operator may call a task of his own the same:
 * no name in a pipeline has a dot.
 */
export const taskNameOf = ({ task, kind }: Pick<JobShare, 'task' | 'kind'>): string | null => (task !== null && !isPipelines({ kind }) ? `intake.${task}` : task);

export const tasksOf = (shares: readonly JobShare[]): Tasks => {
  const named = Map.groupBy(shares, (share) => taskNameOf(share) ?? share.kind);
  const tasks = [...named].map(([name, some]) => taskOf(name, some));
  return { done: shares.length === 0 ? null : shareOf(shares), tasks };
};

const taskOf = (name: string, shares: readonly JobShare[]): Task => {
  const [{ kind = name, task = null } = {}] = shares;
  const state = stateOf(shares);
  const failed = shares.find((share) => share.state === 'dead');
  return {
    name,
    // Intake calls all of its steps that, and their tasks by what they do.
    kind: kind === 'make' ? (task ?? kind) : kind,
    state,
    done: shareOf(shares),
    jobs: sum(shares, ({ jobs }) => jobs),
    finished: sum(shares, (share) => (share.state === 'done' ? share.jobs : 0)),
    reason: failed ? wordsOf(failed.reason) : null,
  };
};

/** What will not come to its end says so, whatever of it goes on. */
const stateOf = (shares: readonly JobShare[]): TaskState => {
  const some = (state: JobShare['state']): boolean => shares.some((share) => share.state === state);
  if (some('dead')) return 'failed';
  if (some('leased')) return 'running';
  if (some('cancelled')) return 'cancelled';
  if (!some('queued')) return 'done';
  return shares.every(({ state, waits }) => state === 'queued' && waits) ? 'waiting' : 'queued';
};

const sum = (shares: readonly JobShare[], of: (share: JobShare) => number): number => shares.reduce((all, share) => all + of(share), 0);

/** Thousandths, rounded down: it is whole when all of it is done, and never before. */
export const shareOf = (shares: readonly JobShare[]): number => {
  if (shares.every(({ state }) => state === 'done')) return 1;
  const weight = sum(shares, (share) => share.weight);
  const share = weight > 0 ? sum(shares, ({ done }) => done) / weight : sum(shares, ({ state, jobs }) => (state === 'done' ? jobs : 0)) / sum(shares, ({ jobs }) => jobs);
  return Math.min(999, Math.floor(share * 1000 + 1e-6)) / 1000;
};

/** Other reasons speak of the inside of the server. */
const wordsOf = (reason: string | null): string => {
  const code = reason?.split(':', 1)[0];
  return reason !== null && failureCodes.some((known) => known === code) ? reason : 'encode-failed: It could not be converted.';
};
