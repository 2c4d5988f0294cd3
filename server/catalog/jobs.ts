/**
 * The job queue as a table. Times are the wall clock's. Each change is one transaction, and after each of them nothing
 * that is queued needs what is dead or cancelled.
 */
import { sql } from 'kysely';
import { backOffMs, downStates, mostClasses, openStates, overStates, QueueError, type Job, type JobQueue } from '../jobs/queue.ts';
import type { Ground, Part } from './ground.ts';
import { also, must } from './ground.ts';
import { createAddJobs } from './job-adding.ts';
import { createJobHistory } from './job-history.ts';
import { revive } from './job-revival.ts';
import { checkBatch, isPriority, shownJob, thousandths, type JobRow } from './job-rows.ts';
import { bringDown, byHolder, countsOf, countWaits, held, jobsNamed, portions, sharesOf, takeBack, takeNext, buriedBy } from './job-statements.ts';
import { cutPage, isAfter } from './page.ts';
import type { Outcome } from './wire.ts';

const longestReason = 2_000;
const laterMs = 60_000;

type Changed = Pick<JobRow, 'videoId'>;

export const createJobs = (ground: Ground): JobQueue => {
  const { db, clock, write } = ground;
  const add = createAddJobs(ground);
  const history = createJobHistory(ground);
  const listeners = new Set<(videoId: string | null) => void>();
  /** Whether anything was changed; whoever listens hears of it. */
  const tell = (rows: readonly Changed[]): boolean => {
    for (const videoId of new Set(rows.map((row) => row.videoId))) for (const listener of listeners) listener(videoId);
    return rows.length > 0;
  };
  const ended = { done: 0, failed: 0, cancelled: 0 };
  const count = (as: keyof typeof ended, outcome: Outcome | undefined): void => {
    ended[as] += outcome?.rows.length ?? 0;
  };
  const told = (outcome: Outcome | undefined): boolean => tell((outcome?.rows ?? []) as readonly Changed[]);
  const one = async (column: 'id' | 'uniqueKey', value: string): Promise<Job | null> => {
    const row = await db.selectFrom('jobs').selectAll().where(column, '=', value).executeTakeFirst();
    return row ? shownJob(row) : null;
  };
  const end = (now: number) => db.updateTable('jobs').set({ ...held, state: 'cancelled', reason: null, fallen: 0, updatedAt: now }).where('state', 'in', openStates).returning('videoId');
  const underWay = (id: string): Part => must(db.updateTable('jobs').set({ updatedAt: clock.wall() }).where('id', '=', id).where('state', '=', 'leased').returning('videoId'));
  const tryAgain = async (of: 'id' | 'videoId', value: string): Promise<number> => {
    const rows = await db.transaction().execute((trx) => revive(trx, of, value, clock.wall()));
    tell(rows);
    return rows.length;
  };
  return {
    async enqueue(job) {
      checkBatch([job]);
      const rows = await add([job]);
      tell(rows);
      const there = await one('uniqueKey', job.key);
      if (!there) throw new QueueError('no-video', `"${job.key}" was removed in the same moment.`);
      return { job: there, created: rows.some(({ id }) => id === there.id) };
    },
    async enqueueAll(jobs) {
      checkBatch(jobs);
      tell(await add(jobs));
    },
    async handOn(id, next) {
      checkBatch([next]);
      return tell(await add([next], underWay(id)));
    },
    async lease(classes, worker, ms) {
      if (classes.length === 0) return null;
      if (classes.length > mostClasses) throw new QueueError('too-many', `${classes.length} classes are more than ${mostClasses}.`);
      const now = clock.wall();
      const outcomes = (await write([...takeBack(db, now), also(takeNext(db, classes, worker, ms, now))])) ?? [];
      for (const outcome of outcomes) told(outcome);
      count('failed', outcomes[buriedBy]);
      const row = outcomes.at(-1)?.rows[0] as JobRow | undefined;
      return row ? { job: shownJob(row), token: { job: row.id, fence: row.fence } } : null;
    },
    async heartbeat(token, ms) {
      const now = clock.wall();
      return (await byHolder(db, token, { leaseUntil: now + ms }, now).execute()).length > 0;
    },
    async progress(token, done) {
      const most = sql<number>`case when ${sql.ref('done')} < ${thousandths(done)} then ${thousandths(done)} else ${sql.ref('done')} end`;
      return tell(await byHolder(db, token, {}, clock.wall()).set({ done: most }).execute());
    },
    async complete(token, result) {
      const over = byHolder(db, token, { ...held, state: 'done', result: JSON.stringify(result ?? null), reason: null, done: 1000 }, clock.wall());
      const behind = db.updateTable('jobs').set((eb) => ({ waits: eb('waits', '-', 1) }));
      const outcomes = await write([must(over), also(behind.where('id', 'in', (eb) => eb.selectFrom('jobNeeds').select('jobNeeds.job').where('jobNeeds.needs', '=', token.job)))]);
      count('done', outcomes?.[0]);
      for (const { videoId } of (outcomes?.[0]?.rows ?? []) as readonly Changed[]) history.note(videoId);
      return told(outcomes?.[0]);
    },
    async fail(token, { reason, recoverable, later = false }) {
      const job = await one('id', token.job);
      if (!job) return false;
      const now = clock.wall();
      const over = { ...held, reason: reason.slice(0, longestReason) };
      if (later) {
        const again = byHolder(db, token, { ...over, state: 'queued', runAt: now + laterMs }, now);
        return tell(await again.set((eb) => ({ attempts: eb('attempts', '-', 1) })).execute());
      }
      if (recoverable && job.attempts < job.maxAttempts) return tell(await byHolder(db, token, { ...over, state: 'queued', runAt: now + backOffMs(job.attempts) }, now).execute());
      const outcomes = await write([must(byHolder(db, token, { ...over, state: 'dead' }, now)), bringDown(db, jobsNamed(db, [token.job]), now)]);
      count('failed', outcomes?.[0]);
      return told(outcomes?.[0]);
    },
    async release(token) {
      const update = db.updateTable('jobs').set((eb) => ({ ...held, state: 'queued', attempts: eb('attempts', '-', 1), updatedAt: clock.wall() }));
      return tell(await update.where('id', '=', token.job).where('fence', '=', token.fence).where('state', '=', 'leased').returning('videoId').execute());
    },
    async putBehind(id, jobs) {
      checkBatch(jobs);
      tell(await add(jobs, underWay(id)));
      const now = clock.wall();
      const needed: string[] = [];
      for (const some of portions(jobs)) {
        const found = await db.selectFrom('jobs').select('id').where('uniqueKey', 'in', some.map(({ key }) => key)).execute();
        needed.push(...found.map((row) => row.id));
      }
      const back = db.updateTable('jobs').set((eb) => ({ ...held, state: 'queued', attempts: eb('attempts', '-', 1), updatedAt: now }));
      const parts: Part[] = [must(back.where('id', '=', id).where('state', '=', 'leased').returning('videoId'))];
      for (const some of portions(needed)) {
        parts.push(also(db.insertInto('jobNeeds').values(some.map((needs) => ({ job: id, needs }))).onConflict((conflict) => conflict.columns(['job', 'needs']).doNothing())));
      }
      parts.push(also(countWaits(db, [id])));
      for (const some of portions(needed)) parts.push(bringDown(db, jobsNamed(db, some).where('state', 'in', downStates), now));
      return told((await write(parts))?.[0]);
    },
    async loseAll(worker) {
      const now = clock.wall();
      // What was lost before keeps its lease: a server that dies again and again does not use up the attempts of a good file in seconds.
      const update = db.updateTable('jobs').set({ leaseUntil: now, updatedAt: now }).where('leaseUntil', '>', 0).where('state', '=', 'leased').where('attempts', '<=', 1);
      await (worker === undefined ? update : update.where('worker', '=', worker)).execute();
    },
    get: (id) => one('id', id),
    byKey: (key) => one('uniqueKey', key),
    async cancel(id) {
      const now = clock.wall();
      const outcomes = await write([must(end(now).where('id', '=', id)), bringDown(db, jobsNamed(db, [id]), now)]);
      count('cancelled', outcomes?.[0]);
      return told(outcomes?.[0]);
    },
    retry: async (id) => (await tryAgain('id', id)) > 0,
    async prioritise(id, priority) {
      if (!isPriority(priority)) throw new QueueError('bad-job', `${priority} is no priority.`);
      return tell(await db.updateTable('jobs').set({ priority, updatedAt: clock.wall() }).where('id', '=', id).where('state', 'in', openStates).returning('videoId').execute());
    },
    async cancelVideo(videoId) {
      const rows = await end(clock.wall()).where('videoId', '=', videoId).execute();
      tell(rows);
      ended.cancelled += rows.length;
      return rows.length;
    },
    retryVideo: (videoId) => tryAgain('videoId', videoId),
    async removeVideo(videoId) {
      tell(await db.deleteFrom('jobs').where('videoId', '=', videoId).returning('videoId').execute());
    },
    async ofVideo(videoId) {
      const rows = await db.selectFrom('jobs').selectAll().where('videoId', '=', videoId).orderBy('createdAt').orderBy('position').execute();
      return rows.map(shownJob);
    },
    async sharesOf(videoId) {
      const rows = await sharesOf(db, videoId).execute();
      return rows.map(({ task, kind, state, waits, jobs, weight, done, reason }) => ({ task, kind, state, waits: waits > 0, jobs: Number(jobs), weight: Number(weight), done: Number(done) / 1000, reason }));
    },
    async list({ limit, after, state, class: jobClass, videoId }) {
      let query = db.selectFrom('jobs').selectAll();
      if (state !== undefined) query = query.where('state', '=', state);
      // There are few of them, which an index knows.
      if (state === 'leased') query = query.where('leaseUntil', '>', 0);
      if (jobClass !== undefined) query = query.where('class', '=', jobClass);
      if (videoId !== undefined) query = query.where('videoId', '=', videoId);
      if (after) query = query.where(isAfter('jobs', after));
      const rows = await query.orderBy('createdAt', 'desc').orderBy('id', 'desc').limit(limit + 1).execute();
      return cutPage(rows.map(shownJob), limit);
    },
    async counts(states = [...openStates, ...overStates]) {
      const rows = await countsOf(db, states).execute();
      return rows.map(({ class: name, state, count }) => ({ class: name, state, count: Number(count) }));
    },
    ended,
    async forget(before) {
      await history.tidy();
      // What has failed of a video that waits for it would be taken for what nobody has planned yet, and what is left for all that there was.
      const waiting = db.selectFrom('videos').select('videos.id').where('videos.state', '=', 'playable');
      const old = db.deleteFrom('jobs').where('state', 'in', overStates).where('updatedAt', '<', before);
      await old.where((eb) => eb.or([eb('videoId', 'is', null), eb('videoId', 'not in', waiting)])).execute();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
