/**
 * The job queue as those see it who give and do work. A job is leased for a time; each lease has a higher fence
 * than the one before, and only the holder of the newest can heartbeat, finish or fail it, so a late result of a
 * lost lease is dropped. A lease that runs out is an attempt that failed.
 *
 * Jobs can need others: they wait until those are done, and fall with them. So nothing that waits ever waits for
 * what will not be done.
 *
 *     queued (waits > 0) ─ needs done ─▶ queued ─ lease ─▶ leased ─▶ done
 *            └─ a need is dead or cancelled ─▶ cancelled ◀─ cancel ─┤
 *                                         retry ─▶ queued    dead ◀─┘
 */
import type { Page, PageRequest } from '../catalog/page.ts';
import type { JobState } from '../catalog/schema.ts';

export type NewJob = {
  /** One job for a key, for ever: the same work is never queued twice. */
  readonly key: string;
  readonly class: string;
  readonly kind: string;
  readonly payload: unknown;
  /** Higher goes first; then what was queued first; then, of what was queued in one go, what stood first there. */
  readonly priority?: number;
  readonly maxAttempts?: number;
  readonly runAt?: number;
  /** It goes when the video goes. */
  readonly videoId?: string;
  /** Of the video's pipeline. */
  readonly task?: string;
  /** How much of the whole it is: seconds of media, whole ones. Absent: 1. */
  readonly weight?: number;
  /** Keys of jobs that have to be done before it, queued in the same go or earlier. */
  readonly needs?: readonly string[];
};
export type Job = {
  readonly id: string;
  readonly key: string;
  readonly class: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly priority: number;
  readonly state: JobState;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly runAt: number;
  readonly worker: string | null;
  readonly leaseUntil: number | null;
  readonly reason: string | null;
  readonly result: unknown;
  readonly videoId: string | null;
  readonly task: string | null;
  readonly weight: number;
  /** Needs that are not done yet. */
  readonly waits: number;
  /** 0 to 1; goes back only when it is tried anew by somebody's order. */
  readonly done: number;
  readonly createdAt: number;
  readonly updatedAt: number;
};
/** Proves one lease of one job. */
export type LeaseToken = { readonly job: string; readonly fence: number };
export type Lease = { readonly job: Job; readonly token: LeaseToken };
export type JobFailure = {
  readonly reason: string;
  readonly recoverable: boolean;
  /** Again in a minute, however often: the attempt does not count. */
  readonly later?: boolean;
};
export type JobList = PageRequest & { readonly state?: JobState; readonly class?: string; readonly videoId?: string };
export type JobCount = { readonly class: string; readonly state: JobState; readonly count: number };

/** Jobs of one task of a video, of one kind, that are equally far. */
export type JobShare = {
  readonly task: string | null;
  readonly kind: string;
  readonly state: JobState;
  /** Needs of them are not done yet. */
  readonly waits: boolean;
  readonly jobs: number;
  readonly weight: number;
  /** Of the weight. */
  readonly done: number;
  /** Of one of them. */
  readonly reason: string | null;
};

export const openStates = ['queued', 'leased'] as const satisfies readonly JobState[];
/** It will not be done unless somebody tries it again. */
export const downStates = ['dead', 'cancelled'] as const satisfies readonly JobState[];
export const isDown = ({ state }: { readonly state: JobState }): boolean => downStates.some((one) => one === state);
export const overStates = ['done', ...downStates] as const;

/** What is asked of the queue makes no sense. */
export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly code: 'unknown-need' | 'cycle' | 'too-many' | 'no-video' | 'bad-job';
  constructor(code: QueueError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Jobs that are queued in one go, and needs that one of them can have. */
export const mostJobs = 50_000;
export const mostNeeds = 20_000;
/** Either way. */
export const highestPriority = 1000;
/** Classes that are asked for at once. */
export const mostClasses = 32;

export interface JobQueue {
  /** `created` is false when there was a job of this key already, whatever became of it. */
  enqueue(job: NewJob): Promise<{ job: Job; created: boolean }>;
  /** All that are not there yet, in one transaction. What needs something that is dead or cancelled is cancelled too. */
  enqueueAll(jobs: readonly NewJob[]): Promise<void>;
  /** Queues what comes next, as long as somebody works on this one: what was cancelled in its last moment begins nothing more. False: nobody does, or it was there. */
  handOn(id: string, next: NewJob): Promise<boolean>;
  /** The most urgent job of these classes that is due and waits for nothing, for `ms`; null: nothing to do. */
  lease(classes: readonly string[], worker: string, ms: number): Promise<Lease | null>;
  /** False from here on: the lease is lost, stop working. */
  heartbeat(token: LeaseToken, ms: number): Promise<boolean>;
  /** 0 to 1. Less than was said before is not kept. False: the lease is lost. */
  progress(token: LeaseToken, done: number): Promise<boolean>;
  complete(token: LeaseToken, result?: unknown): Promise<boolean>;
  /** Recoverable: again after a while, as long as attempts are left. Else it is dead, and what needs it is cancelled. */
  fail(token: LeaseToken, failure: JobFailure): Promise<boolean>;
  /** Gives it back unfinished, and that is nobody's fault: it is due again at once, and the attempt does not count. */
  release(token: LeaseToken): Promise<boolean>;
  /** Gives back what is under way, to be begun anew when these are done too, which are queued where they are not there. The attempt does not count. False: nobody works on it. */
  putBehind(id: string, jobs: readonly NewJob[]): Promise<boolean>;
  /** All who worked are gone, or only this one: what they held is due at once the first time, later when its lease runs out. The attempt has failed either way. */
  loseAll(worker?: string): Promise<void>;
  get(id: string): Promise<Job | null>;
  byKey(key: string): Promise<Job | null>;
  /** With all that needs it. False: it is over already. Whoever works on it hears of it with the next heartbeat. */
  cancel(id: string): Promise<boolean>;
  /** Puts a dead or cancelled job back with all its attempts, what it needs too, and what fell with them. False: it is neither. */
  retry(id: string): Promise<boolean>;
  /** False: it is over, or there is none. */
  prioritise(id: string, priority: number): Promise<boolean>;
  /** How many were not over. */
  cancelVideo(videoId: string): Promise<number>;
  /** How many were dead or cancelled. */
  retryVideo(videoId: string): Promise<number>;
  /** As if there had never been any. */
  removeVideo(videoId: string): Promise<void>;
  /** In the order in which they were queued. Of tasks of many jobs one is left when all of the video is done. */
  ofVideo(videoId: string): Promise<Job[]>;
  /** What they come to, in the order in which they were queued. */
  sharesOf(videoId: string): Promise<JobShare[]>;
  list(query: JobList): Promise<Page<Job>>;
  /** By class and state; without those that are over it takes little, however many there are. */
  counts(states?: readonly JobState[]): Promise<JobCount[]>;
  /** How many have ended since the queue was opened; what fell with others counts as neither. */
  readonly ended: Readonly<Record<'done' | 'failed' | 'cancelled', number>>;
  /** Removes what was finished before `time`, and of videos whose jobs are all done most of those that were many. */
  forget(before: number): Promise<void>;
  /** Called after each change, of jobs of this video; null: of no video. Returns the way to stop it. */
  onChange(listener: (videoId: string | null) => void): () => void;
}

/** 2 s, 4 s, 8 s, … 5 minutes. */
export const backOffMs = (attempt: number): number => Math.min(300_000, 2_000 * 2 ** Math.min(attempt - 1, 16));
