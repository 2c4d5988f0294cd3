/** What pipelines need: jobs that belong to a video and to a task of it, and wait for others to be done. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

type Then = { jobs: { id: string; payload: string; state: string; videoId: string | null; done: number }; videos: { id: string } };

/** What was queued before says in its payload which video it is for. */
const videoOf = (payload: string): string | null => {
  const said: unknown = JSON.parse(payload);
  return typeof said === 'object' && said !== null && 'video' in said && typeof said.video === 'string' ? said.video : null;
};

export const pipelines: Migration = {
  id: 9,
  name: 'pipelines',
  async up(plain: Kysely<unknown>) {
    // Null: it belongs to none. A video that is removed takes its jobs with it.
    await plain.schema.alterTable('jobs').addColumn('videoId', 'text', (c) => c.references('videos.id').onDelete('cascade')).execute();
    await plain.schema.alterTable('jobs').addColumn('task', 'text').execute();
    await plain.schema.alterTable('jobs').addColumn('weight', 'integer', (c) => c.notNull().defaultTo(1)).execute();
    // Of those that were queued in one go, the first goes first.
    await plain.schema.alterTable('jobs').addColumn('position', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    // So many of its needs are not done yet.
    await plain.schema.alterTable('jobs').addColumn('waits', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    // Thousandths.
    await plain.schema.alterTable('jobs').addColumn('done', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    // 1: cancelled since what it needs will not be done, and not by anybody.
    await plain.schema.alterTable('jobs').addColumn('fallen', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    // Rows of chunks go when all of the video is done, but for one of each task, which stands for all of them.
    await plain.schema.alterTable('jobs').addColumn('stands', 'integer', (c) => c.notNull().defaultTo(1)).execute();
    await plain.schema
      .createTable('jobNeeds')
      .addColumn('job', 'text', (c) => c.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('needs', 'text', (c) => c.notNull().references('jobs.id').onDelete('cascade'))
      .addPrimaryKeyConstraint('jobNeedsOnce', ['job', 'needs'])
      .execute();
    await plain.schema.createIndex('jobNeedsOf').on('jobNeeds').column('needs').execute();
    await plain.schema.dropIndex('jobsToLease').execute();
    // In the order in which they are taken, with all that decides about it.
    await plain.schema.createIndex('jobsToTake').on('jobs').columns(['class', 'state', 'waits', 'priority desc', 'createdAt', 'position', 'id', 'runAt']).execute();
    await plain.schema.createIndex('jobsByLease').on('jobs').column('leaseUntil').where('leaseUntil', 'is not', null).execute();
    await plain.schema.createIndex('jobsOfVideo').on('jobs').columns(['videoId', 'state']).execute();
    await plain.schema.createIndex('jobsByAge').on('jobs').columns(['createdAt', 'id']).execute();

    const db = plain as Kysely<Then>;
    await db.updateTable('jobs').set({ done: 1000 }).where('state', '=', 'done').execute();
    const videos = new Set((await db.selectFrom('videos').select('id').execute()).map(({ id }) => id));
    for (const { id, payload } of await db.selectFrom('jobs').select(['id', 'payload']).execute()) {
      const videoId = videoOf(payload);
      if (videoId !== null && videos.has(videoId)) await db.updateTable('jobs').set({ videoId }).where('id', '=', id).execute();
    }
  },
};
