/**
 * Originals on their way in: what was promised, whether all of it has come, and whether anybody has decided what becomes
 * of it. The row stands beside its video, and goes with it.
 *
 *     bytes missing ──▶ whole (wholeAt) ──▶ taken (takenAt)
 */
import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { Ground } from './ground.ts';
import { must } from './ground.ts';
import type { Schema, VideoState } from './schema.ts';
import { parsed, uploadedRow, type NewUpload, type VideoRow } from './videos.ts';

/** An upload with what of its video it takes to go on with it. */
export type UploadRow = Schema['uploads'] & {
  readonly ownerId: string;
  readonly state: VideoState;
  readonly size: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
};
export type UploadPlan = {
  readonly partSize: number;
  /** Where it is fetched from; null: somebody sends it. Kept sealed: an address may be a secret. */
  readonly url: string | null;
  readonly expiresAt: number;
  /** Bytes that an account may keep where nothing else was said of it; 0: as many as it likes. */
  readonly usualQuota: number;
  /** Uploads of one account that may wait for bytes at once. */
  readonly mostOpen: number;
};
export type UploadCreation =
  | { readonly kind: 'made'; readonly video: VideoRow }
  | ({ readonly kind: 'over-quota' } & Room)
  | { readonly kind: 'too-many' };
/** Bytes that an account keeps, and may keep; null: as many as it likes. */
export type Room = { readonly used: number; readonly quota: number | null };

export interface UploadStore {
  /** The video and its upload, or neither. Room is judged in the same transaction: two at once do not both get the last of it. */
  create(upload: NewUpload, plan: UploadPlan): Promise<UploadCreation>;
  get(videoId: string): Promise<UploadRow | null>;
  /** Bytes are missing, and still wanted. Oldest first. */
  open(): Promise<UploadRow[]>;
  /** All bytes are there, and nobody has taken them yet. */
  untaken(): Promise<string[]>;
  /** It waits for its bytes until then. */
  waitUntil(videoId: string, time: number): Promise<void>;
  /** Idempotent; false: there is no such upload. */
  whole(videoId: string): Promise<boolean>;
  taken(videoId: string): Promise<void>;
  /** It will have so many bytes; false: its owner may not keep that many. */
  promise(videoId: string, bytes: number, usualQuota: number): Promise<boolean>;
  room(accountId: string, usualQuota: number): Promise<Room>;
  /** Bytes kept, by account; whoever keeps nothing is not in it. */
  used(accountIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** What is over, well or badly, needs no row when nobody has an address for it any more. */
  sweep(): Promise<void>;
}

/** What a video takes of its owner's room: what is stored of it, or what is promised to it, whichever is more. */
const weight = sql<number>`case when ${sql.ref('videos.bytes')} > ${sql.ref('videos.originalBytes')} then ${sql.ref('videos.bytes')} else ${sql.ref('videos.originalBytes')} end`;

/** Of an account (a row of `accounts`), without this one video. */
const usedWithout = (video: string): RawBuilder<number> =>
  sql<number>`(select coalesce(sum(${weight}), 0) from ${sql.table('videos')} where ${sql.ref('videos.ownerId')} = ${sql.ref('accounts.id')} and ${sql.ref('videos.id')} <> ${video})`;

const fits = (bytes: number, usualQuota: number, video: string): RawBuilder<SqlBool> => {
  const quota = sql<number>`coalesce(${sql.ref('accounts.quotaBytes')}, ${usualQuota})`;
  return sql<SqlBool>`(${quota} = 0 or ${usedWithout(video)} + ${bytes} <= ${quota})`;
};

export const createUploads = ({ db, clock, vault, write }: Ground): UploadStore => {
  const rows = () =>
    db
      .selectFrom('uploads')
      .innerJoin('videos', 'videos.id', 'uploads.videoId')
      .selectAll('uploads')
      .select(['videos.ownerId', 'videos.state', 'videos.originalBytes as size', 'videos.errorCode', 'videos.errorMessage']);
  const opened = (row: UploadRow): UploadRow => ({ ...row, url: row.url === null ? null : vault.open('import', row.videoId, row.url) });
  /** Changes nothing of the account. As a step of a write it holds the account's row, and finds it only while this is true of it. */
  const account = (id: string) => db.updateTable('accounts').set((eb) => ({ updatedAt: eb.ref('accounts.updatedAt') })).where('accounts.id', '=', id);
  const openOf = (ownerId: string) =>
    db
      .selectFrom('uploads')
      .innerJoin('videos', 'videos.id', 'uploads.videoId')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('videos.ownerId', '=', ownerId)
      .where('videos.state', '!=', 'failed')
      .where('uploads.wholeAt', 'is', null);
  const used = async (accountIds: readonly string[]): Promise<ReadonlyMap<string, number>> => {
    if (accountIds.length === 0) return new Map();
    const sums = db.selectFrom('videos').select(['ownerId', sql<number>`sum(${weight})`.as('used')]).where('ownerId', 'in', accountIds).groupBy('ownerId');
    return new Map((await sums.execute()).map(({ ownerId, used: bytes }) => [ownerId, bytes]));
  };
  const room = async (accountId: string, usualQuota: number): Promise<Room> => {
    const owner = await db.selectFrom('accounts').select('quotaBytes').where('id', '=', accountId).executeTakeFirst();
    return { used: (await used([accountId])).get(accountId) ?? 0, quota: (owner?.quotaBytes ?? usualQuota) || null };
  };
  return {
    used,
    room,
    async create(upload, { usualQuota, mostOpen, ...plan }) {
      const row = uploadedRow(upload, clock.wall());
      const { id: videoId, ownerId, createdAt } = row;
      const url = plan.url === null ? null : vault.seal('import', videoId, plan.url);
      const done = await write(
        [
          must(account(ownerId).where(fits(upload.size, usualQuota, videoId)).where(openOf(ownerId), '<', mostOpen)),
          must(db.insertInto('videos').values(row)),
          must(db.insertInto('uploads').values({ ...plan, fingerprint: upload.fingerprint ?? null, url, videoId, createdAt, wholeAt: null, takenAt: null })),
        ],
        [{ type: 'video.created', videoId, ownerId }],
      );
      if (done) return { kind: 'made', video: parsed(row) };
      const left = await room(ownerId, usualQuota);
      return left.quota !== null && left.used + upload.size > left.quota ? { kind: 'over-quota', ...left } : { kind: 'too-many' };
    },
    async get(videoId) {
      const row = await rows().where('videoId', '=', videoId).executeTakeFirst();
      return row ? opened(row) : null;
    },
    async open() {
      const wanted = rows().where('wholeAt', 'is', null).where('videos.state', '!=', 'failed');
      return (await wanted.orderBy('uploads.createdAt').orderBy('videoId').execute()).map(opened);
    },
    async untaken() {
      const found = await db.selectFrom('uploads').select('videoId').where('wholeAt', 'is not', null).where('takenAt', 'is', null).orderBy('wholeAt').execute();
      return found.map(({ videoId }) => videoId);
    },
    async waitUntil(videoId, time) {
      await db.updateTable('uploads').set({ expiresAt: time }).where('videoId', '=', videoId).execute();
    },
    async whole(videoId) {
      // Where it came from is nobody's business any more.
      const update = db.updateTable('uploads').set((eb) => ({ url: null, wholeAt: eb.fn.coalesce('wholeAt', eb.val(clock.wall())) }));
      return (await update.where('videoId', '=', videoId).executeTakeFirst()).numUpdatedRows > 0n;
    },
    async taken(videoId) {
      await db.updateTable('uploads').set({ takenAt: clock.wall() }).where('videoId', '=', videoId).execute();
    },
    async promise(videoId, bytes, usualQuota) {
      const video = await db.selectFrom('videos').select('ownerId').where('id', '=', videoId).executeTakeFirst();
      if (!video) return false;
      const update = db.updateTable('videos').set({ originalBytes: bytes, updatedAt: clock.wall() }).where('id', '=', videoId);
      return (await write([must(account(video.ownerId).where(fits(bytes, usualQuota, videoId))), must(update)])) !== null;
    },
    async sweep() {
      const failed = db.selectFrom('videos').select('id').where('state', '=', 'failed');
      const over = db.deleteFrom('uploads').where((eb) => eb.or([eb('takenAt', 'is not', null), eb('videoId', 'in', failed)]));
      await over.where('expiresAt', '<=', clock.wall()).execute();
    },
  };
};
