/** Statements that the job queue is made of: each is a part of a transaction. */
import type { Kysely } from 'kysely';
import type { LeaseToken } from '../jobs/queue.ts';
import { also, type Part } from './ground.ts';
import type { JobRow } from './job-rows.ts';
import type { JobState, Schema } from './schema.ts';

/** Rows or names in one statement: databases bound what a statement can be given. */
const atOnce = 200;
export const portions = <T>(all: readonly T[]): T[][] => Array.from({ length: Math.ceil(all.length / atOnce) }, (_, index) => all.slice(index * atOnce, (index + 1) * atOnce));

export const held = { worker: null, leaseUntil: null };

type Db = Kysely<Schema>;

export const jobsNamed = (db: Db, ids: readonly string[]) => db.selectFrom('jobs').select('jobs.id').where('jobs.id', 'in', ids);
type SomeJobs = ReturnType<typeof jobsNamed>;

/** A change of a job by the holder of this lease alone. */
export const byHolder = (db: Db, token: LeaseToken, set: Partial<JobRow>, now: number) =>
  db
    .updateTable('jobs')
    .set({ ...set, updatedAt: now })
    .where('id', '=', token.job)
    .where('fence', '=', token.fence)
    .where('state', '=', 'leased')
    .where('leaseUntil', '>', now)
    .returning('videoId');

/** All that needs these, whatever lies between. */
const behind = (db: Db, these: SomeJobs) =>
  db.withRecursive('behind(id)', (inner) =>
    inner
      .selectFrom('jobNeeds')
      .select('jobNeeds.job as id')
      .where('jobNeeds.needs', 'in', these)
      .union(inner.selectFrom('jobNeeds').innerJoin('behind', 'behind.id', 'jobNeeds.needs').select('jobNeeds.job as id')),
  );

/** Ends all that needs these. */
export const bringDown = (db: Db, these: SomeJobs, now: number): Part =>
  also(
    behind(db, these)
      .updateTable('jobs')
      .set({ state: 'cancelled', fallen: 1, reason: 'What it needs is not done.', updatedAt: now })
      .where('id', 'in', (eb) => eb.selectFrom('behind').select('behind.id'))
      .where('state', '=', 'queued'),
  );

/** Forgets all that fell with these: whoever plans them anew plans that too. */
export const forgetFallen = (db: Db, these: SomeJobs): Part =>
  also(
    behind(db, these)
      .deleteFrom('jobs')
      .where('id', 'in', (eb) => eb.selectFrom('behind').select('behind.id'))
      .where('fallen', '=', 1),
  );

/** Which of the parts below says who is dead. */
export const buriedBy = 1;
/** Leases that have run out: the next attempt is due, or there is none left. */
export const takeBack = (db: Db, now: number): Part[] => {
  const spent = db.selectFrom('jobs').select('jobs.id').where('jobs.leaseUntil', '<=', now).where('jobs.state', '=', 'leased').whereRef('jobs.attempts', '>=', 'jobs.maxAttempts');
  const bury = db.updateTable('jobs').set({ ...held, state: 'dead', reason: 'Its worker vanished too often.', updatedAt: now });
  const requeue = db.updateTable('jobs').set({ ...held, state: 'queued', updatedAt: now });
  return [
    bringDown(db, spent, now),
    also(bury.where('leaseUntil', '<=', now).where('state', '=', 'leased').whereRef('attempts', '>=', 'maxAttempts').returning('videoId')),
    also(requeue.where('leaseUntil', '<=', now).where('state', '=', 'leased').returning('videoId')),
  ];
};

/** One look into the index for each class, and the best of what they found. */
const bestOf = (db: Db, classes: readonly string[], now: number) => {
  const best = (name: string) => {
    const due = db.selectFrom('jobs').select(['id', 'priority', 'createdAt', 'position']).where('class', '=', name).where('state', '=', 'queued').where('waits', '=', 0).where('runAt', '<=', now);
    return db.selectFrom(due.orderBy('priority', 'desc').orderBy('createdAt').orderBy('position').orderBy('id').limit(1).as('one')).selectAll();
  };
  const [first = '', ...others] = classes;
  const all = others.reduce((query, name) => query.unionAll(best(name)), best(first));
  return db.selectFrom(all.as('best')).select('best.id').orderBy('best.priority', 'desc').orderBy('best.createdAt').orderBy('best.position').orderBy('best.id').limit(1);
};

export const takeNext = (db: Db, classes: readonly string[], worker: string, ms: number, now: number) =>
  db
    .updateTable('jobs')
    .set((eb) => ({ state: 'leased', worker, leaseUntil: now + ms, fence: eb('fence', '+', 1), attempts: eb('attempts', '+', 1), updatedAt: now }))
    .where('id', '=', bestOf(db, classes, now))
    // Said again for databases where two of these run at once: the second finds the row changed, and takes none.
    .where('state', '=', 'queued')
    .returningAll();

export const countWaits = (db: Db, ids: readonly string[]) =>
  db.updateTable('jobs').set((eb) => ({
    waits: eb
      .selectFrom('jobNeeds')
      .innerJoin('jobs as needed', 'needed.id', 'jobNeeds.needs')
      .select((inner) => inner.fn.countAll<number>().as('count'))
      .whereRef('jobNeeds.job', '=', 'jobs.id')
      .where('needed.state', '!=', 'done')
      .$asScalar(),
  })).where('id', 'in', ids);

/** One look into the index for each class: those that are over are many, and are read only where they are asked for. */
export const countsOf = (db: Db, states: readonly JobState[]) =>
  db
    .withRecursive('classes(name)', (inner) =>
      inner
        .selectFrom('jobs')
        .select((eb) => eb.fn.min<string | null>('jobs.class').as('name'))
        .unionAll(
          inner
            .selectFrom('classes')
            .select((eb) => eb.selectFrom('jobs').select((next) => next.fn.min('jobs.class').as('next')).whereRef('jobs.class', '>', 'classes.name').as('name'))
            .where('classes.name', 'is not', null),
        ),
    )
    .selectFrom('classes')
    .innerJoin('jobs', 'jobs.class', 'classes.name')
    .select(['jobs.class', 'jobs.state'])
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('jobs.state', 'in', states)
    .groupBy(['jobs.class', 'jobs.state'])
    .orderBy('jobs.class')
    .orderBy('jobs.state');

/** What they come to that are equally far. */
export const sharesOf = (db: Db, videoId: string) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('jobs')
        .select(['task', 'kind', 'state', 'reason', 'weight', 'done', 'stands', 'createdAt', 'position'])
        .select((inner) => inner.case().when('waits', '>', 0).then(1).else(0).end().as('waits'))
        .where('videoId', '=', videoId)
        .as('each'),
    )
    .select(['task', 'kind', 'state', 'waits'])
    .select((eb) => [
      eb.fn.sum<number>('stands').as('jobs'),
      eb.fn.sum<number>('weight').as('weight'),
      eb.fn.sum<number>(eb('weight', '*', eb.ref('done'))).as('done'),
      eb.fn.max('reason').as('reason'),
      eb.fn.min('createdAt').as('since'),
      eb.fn.min('position').as('place'),
    ])
    .groupBy(['task', 'kind', 'state', 'waits'])
    .orderBy('since')
    .orderBy('place');
