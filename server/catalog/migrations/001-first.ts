/** Accounts, sessions, channels, stream keys, videos, tracks, jobs, outbox. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

const accounts = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable('meta')
    .addColumn('name', 'text', (c) => c.primaryKey().notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('accounts')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('username', 'text', (c) => c.notNull())
    .addColumn('usernameKey', 'text', (c) => c.notNull().unique())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('passwordHash', 'text', (c) => c.notNull())
    .addColumn('createdAt', 'bigint', (c) => c.notNull())
    .addColumn('updatedAt', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
    .addColumn('accountId', 'text', (c) => c.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('createdAt', 'bigint', (c) => c.notNull())
    .addColumn('lastUsedAt', 'bigint', (c) => c.notNull())
    .addColumn('expiresAt', 'bigint', (c) => c.notNull())
    .addColumn('userAgent', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('sessionsOfAccount').on('sessions').columns(['accountId', 'createdAt']).execute();
  await db.schema.createIndex('sessionsByExpiry').on('sessions').column('expiresAt').execute();
  await db.schema
    .createTable('links')
    .addColumn('tokenHash', 'text', (c) => c.primaryKey().notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('createdAt', 'bigint', (c) => c.notNull())
    .addColumn('expiresAt', 'bigint', (c) => c.notNull())
    .addColumn('usedAt', 'bigint')
    .execute();
};

const channels = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable('channels')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('ownerId', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('visibility', 'text', (c) => c.notNull())
    .addColumn('latency', 'text', (c) => c.notNull())
    .addColumn('ladder', 'text', (c) => c.notNull())
    .addColumn('protection', 'text', (c) => c.notNull())
    .addColumn('srtPassphraseSealed', 'text')
    .addColumn('createdAt', 'bigint', (c) => c.notNull())
    .addColumn('updatedAt', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('channelsByAge').on('channels').columns(['createdAt', 'id']).execute();
  await db.schema.createIndex('channelsOfOwner').on('channels').columns(['ownerId', 'createdAt', 'id']).execute();
  await db.schema
    .createTable('streamKeys')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('channelId', 'text', (c) => c.notNull().references('channels.id').onDelete('cascade'))
    .addColumn('label', 'text', (c) => c.notNull())
    .addColumn('lookup', 'text', (c) => c.notNull().unique())
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('createdAt', 'bigint', (c) => c.notNull())
    .addColumn('revokedAt', 'bigint')
    .execute();
  await db.schema.createIndex('streamKeysOfChannel').on('streamKeys').columns(['channelId', 'createdAt']).execute();
};

const videos = async (db: Kysely<unknown>): Promise<void> => {
  await db.schema
    .createTable('videos')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    // A recording outlives its channel: it belongs to its owner.
    .addColumn('channelId', 'text', (c) => c.references('channels.id').onDelete('set null'))
    .addColumn('ownerId', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('visibility', 'text', (c) => c.notNull())
    .addColumn('latency', 'text', (c) => c.notNull())
    .addColumn('run', 'text')
    .addColumn('policy', 'text')
    .addColumn('startedAt', 'bigint')
    .addColumn('endedAt', 'bigint')
    .addColumn('expiresAt', 'bigint')
    .addColumn('durationMs', 'bigint')
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('errorCode', 'text')
    .addColumn('errorMessage', 'text')
    .addColumn('createdAt', 'bigint', (c) => c.notNull())
    .addColumn('updatedAt', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('videosByAge').on('videos').columns(['createdAt', 'id']).execute();
  await db.schema.createIndex('videosOfOwner').on('videos').columns(['ownerId', 'createdAt', 'id']).execute();
  await db.schema.createIndex('videosOfChannel').on('videos').columns(['channelId', 'createdAt', 'id']).execute();
  await db.schema.createIndex('videosByState').on('videos').columns(['state', 'createdAt']).execute();
  await db.schema.createIndex('videosByExpiry').on('videos').column('expiresAt').execute();
  await db.schema
    .createTable('tracks')
    .addColumn('videoId', 'text', (c) => c.notNull().references('videos.id').onDelete('cascade'))
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('codec', 'text', (c) => c.notNull())
    .addColumn('timescale', 'integer', (c) => c.notNull())
    .addColumn('bandwidth', 'bigint', (c) => c.notNull())
    .addColumn('averageBandwidth', 'bigint', (c) => c.notNull())
    .addColumn('partTarget', 'double precision')
    .addColumn('group', 'text', (c) => c.notNull())
    .addColumn('language', 'text')
    .addColumn('name', 'text')
    .addPrimaryKeyConstraint('tracksKey', ['videoId', 'id'])
    .execute();
};

export const first: Migration = {
  id: 1,
  name: 'first',
  async up(db, counter) {
    await accounts(db);
    await channels(db);
    await videos(db);
    await db.schema
      .createTable('jobs')
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('uniqueKey', 'text', (c) => c.notNull().unique())
      .addColumn('class', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('payload', 'text', (c) => c.notNull())
      .addColumn('priority', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull())
      .addColumn('maxAttempts', 'integer', (c) => c.notNull())
      .addColumn('runAt', 'bigint', (c) => c.notNull())
      .addColumn('fence', 'integer', (c) => c.notNull())
      .addColumn('worker', 'text')
      .addColumn('leaseUntil', 'bigint')
      .addColumn('reason', 'text')
      .addColumn('result', 'text')
      .addColumn('createdAt', 'bigint', (c) => c.notNull())
      .addColumn('updatedAt', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('jobsToLease').on('jobs').columns(['class', 'state', 'priority', 'runAt']).execute();
    await counter(db.schema.createTable('outbox'), 'seq')
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('data', 'text', (c) => c.notNull())
      .addColumn('createdAt', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('answers')
      .addColumn('scope', 'text', (c) => c.primaryKey().notNull())
      .addColumn('bodyHash', 'text', (c) => c.notNull())
      .addColumn('status', 'integer')
      .addColumn('sealed', 'text')
      .addColumn('expiresAt', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('answersByExpiry').on('answers').column('expiresAt').execute();
  },
};
