/** Jobs as rows, and what a batch of new ones comes to. Pure. */
import { highestPriority, mostJobs, mostNeeds, QueueError, type Job, type NewJob } from '../jobs/queue.ts';
import { newId } from './ids.ts';
import type { Schema } from './schema.ts';

export type JobRow = Schema['jobs'];
export type NeedRow = Schema['jobNeeds'];

/** Thousandths of a share. */
export const thousandths = (done: number): number => Math.round(Math.min(1, Math.max(0, Number.isNaN(done) ? 0 : done)) * 1000);

export const shownJob = ({ uniqueKey, payload, result, done, fence: _fence, position: _position, fallen: _fallen, stands: _stands, ...row }: JobRow): Job => ({
  ...row,
  key: uniqueKey,
  payload: JSON.parse(payload) as unknown,
  result: result === null ? null : (JSON.parse(result) as unknown),
  done: done / 1000,
});

/** With its payload written out. */
export type WrittenJob = Omit<NewJob, 'payload'> & { readonly payload: string };
export const written = (job: NewJob): WrittenJob => ({ ...job, payload: JSON.stringify(job.payload ?? null) });

const rowOf = (job: WrittenJob, id: string, position: number, now: number): JobRow => ({
  id,
  uniqueKey: job.key,
  class: job.class,
  kind: job.kind,
  payload: job.payload,
  priority: job.priority ?? 0,
  state: 'queued',
  attempts: 0,
  maxAttempts: job.maxAttempts ?? 5,
  runAt: job.runAt ?? now,
  fence: 0,
  worker: null,
  leaseUntil: null,
  reason: null,
  result: null,
  videoId: job.videoId ?? null,
  task: job.task ?? null,
  weight: job.weight ?? 1,
  position,
  // Counted when they stand beside what they need.
  waits: 0,
  done: 0,
  fallen: 0,
  stands: 1,
  createdAt: now,
  updatedAt: now,
});

export const isPriority = (priority: number): boolean => Number.isInteger(priority) && Math.abs(priority) <= highestPriority;
const isWeight = (weight: number): boolean => Number.isInteger(weight) && weight >= 0 && weight <= 10_000_000;

export const checkBatch = (jobs: readonly NewJob[]): void => {
  if (jobs.length > mostJobs) throw new QueueError('too-many', `${jobs.length} jobs in one go are more than ${mostJobs}.`);
  for (const { key, priority = 0, weight = 1, needs = [] } of jobs) {
    if (!isPriority(priority)) throw new QueueError('bad-job', `The priority ${priority} of "${key}" is no whole number from ${-highestPriority} to ${highestPriority}.`);
    if (!isWeight(weight)) throw new QueueError('bad-job', `The weight ${weight} of "${key}" is no whole number of seconds.`);
    if (needs.length > mostNeeds) throw new QueueError('too-many', `"${key}" needs ${needs.length} others: more than ${mostNeeds}.`);
  }
};

/** One after the other, each behind all that it needs; throws when they go round in a circle. */
const checkCircles = (jobs: ReadonlyMap<string, WrittenJob>): void => {
  const needed = new Map<string, string[]>();
  const open = new Map<string, number>();
  for (const [key, { needs = [] }] of jobs) {
    const among = [...new Set(needs)].filter((need) => jobs.has(need));
    open.set(key, among.length);
    for (const need of among) {
      const behind = needed.get(need);
      if (behind) behind.push(key);
      else needed.set(need, [key]);
    }
  }
  const free = [...open].filter(([, count]) => count === 0).map(([key]) => key);
  for (const key of free) {
    for (const behind of needed.get(key) ?? []) {
      const left = (open.get(behind) ?? 0) - 1;
      open.set(behind, left);
      if (left === 0) free.push(behind);
    }
  }
  if (free.length === jobs.size) return;
  const stuck = [...open].filter(([, count]) => count > 0).map(([key]) => `"${key}"`);
  throw new QueueError('cycle', `These need each other, so that none could ever begin: ${stuck.slice(0, 5).join(', ')}${stuck.length > 5 ? ', …' : ''}.`);
};

export type Batch = {
  readonly rows: readonly JobRow[];
  readonly needs: readonly NeedRow[];
  /** Ids of those that were there before and are needed by one of these. */
  readonly outside: readonly string[];
};

/** What is known of a key. */
export type Known = Pick<JobRow, 'id' | 'videoId'>;

/** What is missing of these, where `there` says what is there already. */
export const batchOf = (jobs: readonly WrittenJob[], there: ReadonlyMap<string, Known>, now: number): Batch => {
  const fresh = new Map<string, WrittenJob>();
  for (const job of jobs) if (!there.has(job.key) && !fresh.has(job.key)) fresh.set(job.key, job);
  checkCircles(fresh);
  // Lists show what is newest first, by time and then by id: so what stands first in the batch is read first.
  const ids = Array.from(fresh, newId).sort().reverse();
  const rows = [...fresh.values()].map((job, position) => rowOf(job, ids[position] ?? newId(), position, now));
  const inside = new Map(rows.map((row) => [row.uniqueKey, row]));
  const needs: NeedRow[] = [];
  const outside = new Set<string>();
  for (const row of rows) {
    for (const need of new Set(fresh.get(row.uniqueKey)?.needs)) {
      const found: Known | undefined = inside.get(need) ?? there.get(need);
      if (!found) throw new QueueError('unknown-need', `"${row.uniqueKey}" needs "${need}", which is nowhere queued.`);
      // They go with their video, and would leave what needs them behind, waiting for ever.
      if (found.videoId !== row.videoId) throw new QueueError('unknown-need', `"${row.uniqueKey}" needs "${need}", which belongs to another video.`);
      needs.push({ job: row.id, needs: found.id });
      if (!inside.has(need)) outside.add(found.id);
    }
  }
  return { rows, needs, outside: [...outside] };
};
