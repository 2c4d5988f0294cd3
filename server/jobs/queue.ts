/**
 * The job queue as those see it who give and do work. A job is leased for a time; each lease has a higher fence
 * than the one before, and only the holder of the newest can heartbeat, finish or fail it, so a late result of a
 * lost lease is dropped. A lease that runs out is an attempt that failed.
 */
import type { JobState } from '../catalog/schema.ts';

export type NewJob = {
  /** One job for a key, for ever: the same work is never queued twice. */
  readonly key: string;
  readonly class: string;
  readonly kind: string;
  readonly payload: unknown;
  /** Higher goes first. */
  readonly priority?: number;
  readonly maxAttempts?: number;
  readonly runAt?: number;
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
};
/** Proves one lease of one job. */
export type LeaseToken = { readonly job: string; readonly fence: number };
export type Lease = { readonly job: Job; readonly token: LeaseToken };
export type JobFailure = { readonly reason: string; readonly recoverable: boolean };

export interface JobQueue {
  /** `created` is false when there was a job of this key already, whatever became of it. */
  enqueue(job: NewJob): Promise<{ job: Job; created: boolean }>;
  /** The most urgent job of the class that is due, for `ms`; null: nothing to do. */
  lease(jobClass: string, worker: string, ms: number): Promise<Lease | null>;
  /** False from here on: the lease is lost, stop working. */
  heartbeat(token: LeaseToken, ms: number): Promise<boolean>;
  complete(token: LeaseToken, result?: unknown): Promise<boolean>;
  /** Recoverable: again after a while, as long as attempts are left. */
  fail(token: LeaseToken, failure: JobFailure): Promise<boolean>;
  /** Gives it back unfinished, and that is nobody's fault: it is due again at once, and the attempt does not count. */
  release(token: LeaseToken): Promise<boolean>;
  /** All who worked are gone: what they held is due at once the first time, later when its lease runs out. The attempt has failed either way. */
  loseAll(): Promise<void>;
  get(id: string): Promise<Job | null>;
  byKey(key: string): Promise<Job | null>;
  /** Puts a dead job back with all its attempts. */
  revive(id: string): Promise<boolean>;
  /** Removes what was finished before `time`. */
  forget(before: number): Promise<void>;
}

/** 2 s, 4 s, 8 s, … 5 minutes. */
export const backOffMs = (attempt: number): number => Math.min(300_000, 2_000 * 2 ** Math.min(attempt - 1, 16));
