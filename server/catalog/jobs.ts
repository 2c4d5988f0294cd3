/** The job queue as a table. Times are the wall clock's. */
import { backOffMs, type Job, type JobQueue, type LeaseToken } from '../jobs/queue.ts';
import type { Ground } from './ground.ts';
import { also } from './ground.ts';
import { newId } from './ids.ts';
import type { Schema } from './schema.ts';

const longestReason = 2_000;

const shown = ({ uniqueKey, payload, result, fence: _fence, createdAt: _created, updatedAt: _updated, ...row }: Schema['jobs']): Job => ({
  ...row,
  key: uniqueKey,
  payload: JSON.parse(payload) as unknown,
  result: result === null ? null : (JSON.parse(result) as unknown),
});

export const createJobs = ({ db, clock, write }: Ground): JobQueue => {
  const one = async (column: 'id' | 'uniqueKey', value: string): Promise<Job | null> => {
    const row = await db.selectFrom('jobs').selectAll().where(column, '=', value).executeTakeFirst();
    return row ? shown(row) : null;
  };
  /** Changes a job only as the holder of this lease. */
  const held = async (token: LeaseToken, set: Partial<Schema['jobs']>): Promise<boolean> => {
    const now = clock.wall();
    const update = db.updateTable('jobs').set({ ...set, updatedAt: now }).where('id', '=', token.job).where('fence', '=', token.fence);
    const done = await update.where('state', '=', 'leased').where('leaseUntil', '>', now).executeTakeFirst();
    return done.numUpdatedRows > 0n;
  };
  const buryLost = (now: number) =>
    db
      .updateTable('jobs')
      .set({ state: 'dead', reason: 'Its worker vanished too often.', worker: null, leaseUntil: null, updatedAt: now })
      .where('state', '=', 'leased')
      .where('leaseUntil', '<=', now)
      .whereRef('attempts', '>=', 'maxAttempts');
  const takeNext = (jobClass: string, worker: string, ms: number, now: number) => {
    const due = db
      .selectFrom('jobs as candidate')
      .select('candidate.id')
      .where('candidate.class', '=', jobClass)
      .where((eb) =>
        eb.or([
          eb.and([eb('candidate.state', '=', 'queued'), eb('candidate.runAt', '<=', now)]),
          eb.and([eb('candidate.state', '=', 'leased'), eb('candidate.leaseUntil', '<=', now)]),
        ]),
      )
      .orderBy('candidate.priority', 'desc')
      .orderBy('candidate.runAt')
      .orderBy('candidate.id')
      .limit(1);
    return (
      db
        .updateTable('jobs')
        .set((eb) => ({ state: 'leased', worker, leaseUntil: now + ms, fence: eb('fence', '+', 1), attempts: eb('attempts', '+', 1), updatedAt: now }))
        .where('id', '=', due)
        // Said again for databases where two of these run at once: the second finds the row changed, and takes none.
        .where((eb) => eb.or([eb('state', '=', 'queued'), eb('leaseUntil', '<=', now)]))
        .returningAll()
    );
  };
  return {
    async enqueue(job) {
      const now = clock.wall();
      const row: Schema['jobs'] = {
        id: newId(),
        uniqueKey: job.key,
        class: job.class,
        kind: job.kind,
        payload: JSON.stringify(job.payload ?? null),
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
        createdAt: now,
        updatedAt: now,
      };
      await db.insertInto('jobs').values(row).onConflict((conflict) => conflict.column('uniqueKey').doNothing()).execute();
      const there = (await one('uniqueKey', job.key)) ?? shown(row);
      return { job: there, created: there.id === row.id };
    },
    async lease(jobClass, worker, ms) {
      const now = clock.wall();
      const outcomes = await write([also(buryLost(now)), also(takeNext(jobClass, worker, ms, now))]);
      const row = outcomes?.at(1)?.rows[0] as Schema['jobs'] | undefined;
      return row ? { job: shown(row), token: { job: row.id, fence: row.fence } } : null;
    },
    heartbeat: (token, ms) => held(token, { leaseUntil: clock.wall() + ms }),
    complete: (token, result) =>
      held(token, { state: 'done', result: JSON.stringify(result ?? null), reason: null, worker: null, leaseUntil: null }),
    async fail(token, { reason, recoverable }) {
      const job = await one('id', token.job);
      if (!job) return false;
      const over = { reason: reason.slice(0, longestReason), worker: null, leaseUntil: null };
      if (!recoverable || job.attempts >= job.maxAttempts) return held(token, { ...over, state: 'dead' });
      return held(token, { ...over, state: 'queued', runAt: clock.wall() + backOffMs(job.attempts) });
    },
    async release(token) {
      const update = db.updateTable('jobs').set((eb) => ({ state: 'queued', attempts: eb('attempts', '-', 1), worker: null, leaseUntil: null, updatedAt: clock.wall() }));
      const done = await update.where('id', '=', token.job).where('fence', '=', token.fence).where('state', '=', 'leased').executeTakeFirst();
      return done.numUpdatedRows > 0n;
    },
    async loseAll() {
      const now = clock.wall();
      // What was lost before keeps its lease: a server that dies again and again does not use up the attempts of a good file in seconds.
      await db.updateTable('jobs').set({ leaseUntil: now, updatedAt: now }).where('state', '=', 'leased').where('attempts', '<=', 1).execute();
    },
    get: (id) => one('id', id),
    byKey: (key) => one('uniqueKey', key),
    async revive(id) {
      const now = clock.wall();
      const update = db.updateTable('jobs').set({ state: 'queued', attempts: 0, runAt: now, reason: null, updatedAt: now });
      const done = await update.where('id', '=', id).where('state', '=', 'dead').executeTakeFirst();
      return done.numUpdatedRows > 0n;
    },
    async forget(before) {
      await db.deleteFrom('jobs').where('state', 'in', ['done', 'dead']).where('updatedAt', '<', before).execute();
    },
  };
};
