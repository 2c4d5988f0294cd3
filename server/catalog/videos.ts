/** Videos: a broadcast is one from the moment its gate opens, and stays one when it has ended. */
import { sql, type SqlBool } from 'kysely';
import type { KeptPolicy } from '../../packager/live/run.ts';
import type { ServerEvent } from '../events/types.ts';
import { noPictures, type Chapter, type KeptPictures } from '../pictures/kept.ts';
import type { Ground, Part } from './ground.ts';
import { also, must } from './ground.ts';
import { newId } from './ids.ts';
import { cutPage, isAfter, type Page, type PageRequest } from './page.ts';
import type { Latency, Protection, Schema, VideoSource, VideoState, Visibility } from './schema.ts';

export type VideoRow = Omit<Schema['videos'], 'policy' | 'downloads' | 'pictures' | 'chapters'> & {
  readonly policy: KeptPolicy | null;
  readonly downloads: boolean;
  readonly pictures: KeptPictures | null;
  readonly chapters: readonly Chapter[] | null;
};
export type TrackRow = Omit<Schema['tracks'], 'videoId' | 'position'>;
export type VideoWithTracks = { readonly video: VideoRow; readonly tracks: readonly TrackRow[]; readonly channelName: string | null };

export type NewLive = {
  /** Made beforehand with `newId()`, since the log's folder is named by it; else made here. */
  readonly id?: string;
  readonly channelId: string;
  readonly ownerId: string;
  readonly title: string;
  readonly visibility: Visibility;
  readonly latency: Latency;
  /** Of its channel, when it began; absent: none. */
  readonly ladder?: string;
  /** Absent: none. */
  readonly protection?: Protection;
  readonly startedAt: number;
  readonly run: string;
  readonly policy: KeptPolicy;
  readonly tracks: readonly TrackRow[];
};
export type LiveEnd = {
  readonly endedAt: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly state: 'ready' | 'failed';
  /** When retention removes it; null: never. */
  readonly expiresAt?: number | null;
  readonly error?: { readonly code: string; readonly message: string };
};
export type NewUpload = {
  readonly ownerId: string;
  readonly title: string;
  readonly description: string;
  readonly visibility: Visibility;
  readonly downloads: boolean;
  readonly ladder: string;
  /** Absent: none. */
  readonly protection?: Protection;
  readonly source: Exclude<VideoSource, 'live'>;
  readonly filename: string;
  /** 0: not known yet. */
  readonly size: number;
  /** By which whoever sends it knows the file again. */
  readonly fingerprint?: string;
};
/** A step in the life of what was uploaded. What is not named stays as it is. */
export type Step = {
  readonly state: VideoState;
  readonly run?: string;
  readonly policy?: KeptPolicy;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly durationMs?: number;
  readonly bytes?: number;
  /** 0 when the original is not kept: it takes no room any more. */
  readonly originalBytes?: number;
  /** In place of all its pictures and sounds; captions stay. */
  readonly tracks?: readonly TrackRow[];
  readonly error?: { readonly code: string; readonly message: string } | null;
};
/** Tracks that were made behind a video that plays. */
export type TrackStep = {
  readonly tracks: readonly TrackRow[];
  /** Ids of those whose place they take. */
  readonly drop?: readonly string[];
  /** That it takes on the disk more than before. */
  readonly bytes: number;
  /** They can be made again, and go when nobody asks for the video, where that is wanted: so many bytes less then. */
  readonly spareBytes?: number;
};
export type VideoChange = {
  readonly title?: string;
  readonly description?: string;
  readonly visibility?: Visibility;
  readonly downloads?: boolean;
  /** Only of a video that is not live; its files get other names. */
  readonly protection?: Protection;
  readonly cutInMs?: number | null;
  readonly cutOutMs?: number | null;
  readonly chapters?: readonly Chapter[];
};
export type VideoQuery = PageRequest & {
  readonly query?: string;
  readonly channelId?: string;
  readonly state?: VideoState;
  readonly ownerId?: string;
  /** Public videos that can be played, and this account's own, whatever their state; null: all of them (admin). */
  readonly seenBy: { readonly accountId: string | null } | null;
};
export type LiveNow = { readonly videoId: string; readonly channelId: string; readonly ownerId: string; readonly visibility: Visibility; readonly startedAt: number };

export interface VideoStore {
  /** Called when the gate opens: from here on it is there for everybody whom its visibility allows. Whether it may be downloaded is the channel's to say. */
  createLive(live: NewLive): Promise<VideoRow>;
  /** Only from one of these states; false: it is in another, or gone. */
  become(id: string, from: readonly VideoState[], step: Step): Promise<boolean>;
  /** Beside those that are there: two at once lose nothing. False: nothing of it can be played, or it is gone. */
  addTracks(id: string, step: TrackStep): Promise<boolean>;
  /** False: it was not live (any more). */
  endLive(id: string, end: LiveEnd): Promise<boolean>;
  /** Live in the catalog; after a start, that is what a crash left behind. Oldest first. */
  unfinishedLive(): Promise<VideoWithTracks[]>;
  get(id: string): Promise<VideoRow | null>;
  withTracks(id: string): Promise<VideoWithTracks | null>;
  /** The newest video that is live on the channel of this name. */
  liveOfChannel(name: string): Promise<LiveNow | null>;
  list(query: VideoQuery): Promise<Page<VideoRow>>;
  /** Null: no such video, or it is live and was to be protected otherwise. */
  update(id: string, change: VideoChange): Promise<VideoRow | null>;
  /** False: no such video, or it is live (end it first). Its files go when `video.deleted` is heard. */
  remove(id: string): Promise<boolean>;
  /** What retention has to remove. */
  expired(now: number): Promise<VideoRow[]>;
  allIds(): Promise<string[]>;
  /** Puts a track of captions in the place of those in its language; null: in the place of them, nothing. False: no such video that has ended. */
  setCaptions(id: string, language: string, track: TrackRow | null): Promise<boolean>;
  /** What `change` makes of those that there are; null: there is no such video, or they stay as they are. */
  changePictures(id: string, change: (before: KeptPictures) => KeptPictures | null): Promise<VideoRow | null>;
  /** Those that lie in its file. False: it has some already, or is gone. */
  findChapters(id: string, chapters: readonly Chapter[]): Promise<boolean>;
}

/** The text anywhere in the title, taken literally. */
const titleHolds = (text: string) => {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
  return sql<SqlBool>`lower(${sql.ref('title')}) like ${pattern} escape '\\'`;
};

const notUploaded = { source: 'live' as VideoSource, ladder: 'source', filename: null, originalBytes: 0 };
const unprotected: Protection = 'none';
const notLive = {
  latency: 'standard' as Latency,
  ...{ channelId: null, run: null, names: null, policy: null, startedAt: null, endedAt: null, expiresAt: null, durationMs: null },
  ...{ bytes: 0, errorCode: null, errorMessage: null, cutInMs: null, cutOutMs: null, pictures: null, chapters: null, askedAt: null, rungsTurn: 0 },
};

/** Named before its first byte has come. */
export const uploadedRow = ({ size, downloads, fingerprint: _kept, protection = unprotected, ...upload }: NewUpload, now: number): Schema['videos'] => ({
  ...upload,
  ...notLive,
  id: newId(),
  state: 'uploading',
  protection,
  originalBytes: size,
  downloads: Number(downloads),
  createdAt: now,
  updatedAt: now,
});

export const parsed = (row: Schema['videos']): VideoRow => ({
  ...row,
  policy: row.policy === null ? null : (JSON.parse(row.policy) as KeptPolicy),
  downloads: row.downloads !== 0,
  pictures: row.pictures === null ? null : (JSON.parse(row.pictures) as KeptPictures),
  chapters: row.chapters === null ? null : (JSON.parse(row.chapters) as Chapter[]),
});

const readyEvent = ({ id, channelId, ownerId }: Pick<VideoRow, 'id' | 'channelId' | 'ownerId'>): ServerEvent => ({ type: 'video.ready', videoId: id, channelId, ownerId });

export const createVideos = ({ db, clock, write }: Ground): VideoStore => {
  const get = async (id: string): Promise<VideoRow | null> => {
    const row = await db.selectFrom('videos').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? parsed(row) : null;
  };
  const tracksOf = async (videoId: string): Promise<TrackRow[]> => {
    const rows = await db.selectFrom('tracks').selectAll().where('videoId', '=', videoId).orderBy('position').execute();
    return rows.map(({ videoId: _video, position: _position, ...track }) => track);
  };
  const complete = async (video: VideoRow): Promise<VideoWithTracks> => {
    const channel = video.channelId === null ? undefined : await db.selectFrom('channels').select('name').where('id', '=', video.channelId).executeTakeFirst();
    return { video, tracks: await tracksOf(video.id), channelName: channel?.name ?? null };
  };
  return {
    get,
    async createLive({ tracks, policy, protection = unprotected, id = newId(), ...live }) {
      const now = clock.wall();
      const channel = await db.selectFrom('channels').select('downloads').where('id', '=', live.channelId).executeTakeFirst();
      const row: Schema['videos'] = {
        ...notUploaded,
        ...live,
        id,
        protection,
        names: null,
        description: '',
        state: 'live',
        policy: JSON.stringify(policy),
        endedAt: null,
        expiresAt: null,
        durationMs: null,
        bytes: 0,
        errorCode: null,
        errorMessage: null,
        cutInMs: null,
        cutOutMs: null,
        pictures: null,
        chapters: null,
        askedAt: null,
        rungsTurn: 0,
        // Where the channel is gone, the insert below fails.
        downloads: channel?.downloads ?? 0,
        createdAt: now,
        updatedAt: now,
      };
      const parts: Part[] = [must(db.insertInto('videos').values(row))];
      if (tracks.length > 0) parts.push(must(db.insertInto('tracks').values(tracks.map((track, position) => ({ ...track, videoId: id, position })))));
      await write(parts, [{ type: 'video.live', videoId: id, channelId: live.channelId, ownerId: live.ownerId }]);
      return parsed(row);
    },
    async become(id, from, { tracks, policy, error, ...plain }) {
      const before = await get(id);
      if (!before) return false;
      const set = {
        ...plain,
        ...(policy && { policy: JSON.stringify(policy) }),
        ...(error !== undefined && { errorCode: error?.code ?? null, errorMessage: error?.message ?? null }),
        updatedAt: clock.wall(),
      };
      const parts: Part[] = [must(db.updateTable('videos').set(set).where('id', '=', id).where('state', 'in', from))];
      if (tracks) {
        parts.push(also(db.deleteFrom('tracks').where('videoId', '=', id).where('kind', '!=', 'text')));
        if (tracks.length > 0) parts.push(must(db.insertInto('tracks').values(tracks.map((track, position) => ({ ...track, videoId: id, position })))));
      }
      const { channelId, visibility } = before;
      const updated: ServerEvent = { type: 'video.updated', videoId: id, channelId, visibility, changed: ['state', ...(tracks ? ['tracks'] : [])] };
      return (await write(parts, [updated, ...(plain.state === 'ready' && before.state !== 'ready' ? [readyEvent(before)] : [])])) !== null;
    },
    async addTracks(id, { tracks, drop = [], bytes, spareBytes }) {
      const before = await get(id);
      if (!before) return false;
      const { channelId, visibility } = before;
      const row = db.updateTable('videos').set((eb) => ({ bytes: eb('bytes', '+', bytes), updatedAt: clock.wall() }));
      const parts: Part[] = [must(row.where('id', '=', id).where('state', 'in', ['playable', 'ready']))];
      const ofVideo = db.selectFrom('tracks').where('videoId', '=', id);
      // A sound stands where the one stood whose place it takes, or behind all others.
      const place = drop.length > 0 ? ofVideo.where('id', 'in', drop) : ofVideo;
      const position = place.select((eb) => sql<number>`coalesce(${eb.fn.max('position')}, 0) + ${drop.length > 0 ? 0 : 1}`.as('position'));
      for (const track of tracks) parts.push(must(db.insertInto('tracks').values({ ...track, videoId: id, position })));
      if (spareBytes !== undefined) parts.push(...tracks.map(({ id: trackId }, index) => must(db.insertInto('spareRungs').values({ videoId: id, trackId, bytes: index === 0 ? spareBytes : 0 }))));
      if (drop.length > 0) parts.push(also(db.deleteFrom('tracks').where('videoId', '=', id).where('id', 'in', drop)), also(db.deleteFrom('spareRungs').where('videoId', '=', id).where('trackId', 'in', drop)));
      // Pictures stand ahead of sounds, the best first, whoever else adds one at this moment: their place is their rate.
      parts.push(also(db.updateTable('tracks').set({ position: sql<number>`-${sql.ref('averageBandwidth')}` }).where('videoId', '=', id).where('kind', '=', 'video')));
      const updated: ServerEvent = { type: 'video.updated', videoId: id, channelId, visibility, changed: ['tracks'] };
      return (await write(parts, [updated])) !== null;
    },
    async endLive(id, { error, ...end }) {
      const before = await get(id);
      if (!before) return false;
      const set = { ...end, errorCode: error?.code ?? null, errorMessage: error?.message ?? null, updatedAt: clock.wall() };
      const update = db.updateTable('videos').set(set).where('id', '=', id).where('state', '=', 'live');
      const done = await write([must(update)], [{ type: 'video.ended', videoId: id, channelId: before.channelId, state: end.state }]);
      return done !== null;
    },
    async unfinishedLive() {
      const rows = await db.selectFrom('videos').selectAll().where('state', '=', 'live').orderBy('createdAt').orderBy('id').execute();
      return Promise.all(rows.map((row) => complete(parsed(row))));
    },
    async withTracks(id) {
      const video = await get(id);
      return video ? complete(video) : null;
    },
    async liveOfChannel(name) {
      const row = await db
        .selectFrom('videos')
        .innerJoin('channels', 'channels.id', 'videos.channelId')
        .select(['videos.id as videoId', 'channels.id as channelId', 'videos.ownerId', 'videos.visibility', 'videos.startedAt', 'videos.createdAt'])
        .where('channels.name', '=', name)
        .where('videos.state', '=', 'live')
        .orderBy('videos.createdAt', 'desc')
        .orderBy('videos.id', 'desc')
        .limit(1)
        .executeTakeFirst();
      if (!row) return null;
      const { createdAt, startedAt, ...live } = row;
      return { ...live, startedAt: startedAt ?? createdAt };
    },
    async list({ limit, after, query: text, channelId, state, ownerId, seenBy }) {
      let query = db.selectFrom('videos').selectAll();
      if (seenBy) {
        query = query.where((eb) =>
          eb.or([eb.and([eb('visibility', '=', 'public'), eb('state', 'in', ['live', 'playable', 'ready'])]), eb('ownerId', '=', seenBy.accountId ?? '')]),
        );
      }
      if (channelId !== undefined) query = query.where('channelId', '=', channelId);
      if (ownerId !== undefined) query = query.where('ownerId', '=', ownerId);
      if (state !== undefined) query = query.where('state', '=', state);
      if (text !== undefined && text !== '') query = query.where(titleHolds(text));
      if (after) query = query.where(isAfter('videos', after));
      const rows = await query.orderBy('createdAt', 'desc').orderBy('id', 'desc').limit(limit + 1).execute();
      return cutPage(rows.map(parsed), limit);
    },
    async update(id, change) {
      const before = await get(id);
      if (!before) return null;
      const visibility = change.visibility ?? before.visibility;
      const { downloads, chapters, ...plain } = change;
      const { protection } = plain;
      const set = { ...plain, ...(downloads !== undefined && { downloads: Number(downloads) }), ...(chapters !== undefined && { chapters: JSON.stringify(chapters) }), ...(protection !== undefined && { names: newId() }), updatedAt: clock.wall() };
      const row = db.updateTable('videos').set(set).where('id', '=', id);
      const done = await write(
        [must(protection === undefined ? row : row.where('state', '!=', 'live'))],
        [{ type: 'video.updated', videoId: id, channelId: before.channelId, visibility, changed: Object.keys(change) }],
      );
      return done ? get(id) : null;
    },
    async remove(id) {
      const before = await get(id);
      if (!before) return false;
      const done = await write(
        [must(db.deleteFrom('videos').where('id', '=', id).where('state', '!=', 'live'))],
        [{ type: 'video.deleted', videoId: id, channelId: before.channelId }],
      );
      return done !== null;
    },
    async expired(now) {
      const rows = await db.selectFrom('videos').selectAll().where('expiresAt', '<=', now).where('state', '!=', 'live').orderBy('expiresAt').limit(1000).execute();
      return rows.map(parsed);
    },
    async setCaptions(id, language, track) {
      const before = await get(id);
      if (!before) return false;
      const parts: Part[] = [
        must(db.updateTable('videos').set({ updatedAt: clock.wall() }).where('id', '=', id).where('state', 'in', ['playable', 'ready'])),
        also(db.deleteFrom('tracks').where('videoId', '=', id).where('kind', '=', 'text').where('language', '=', language)),
      ];
      // Behind picture and sound, in the order in which they came.
      if (track) parts.push(must(db.insertInto('tracks').values({ ...track, videoId: id, position: (await tracksOf(id)).length + 1 })));
      const { visibility, channelId } = before;
      return (await write(parts, [{ type: 'video.updated', videoId: id, channelId, visibility, changed: ['captions'] }])) !== null;
    },
    async changePictures(id, change) {
      for (;;) {
        const before = await get(id);
        const pictures = before && change(before.pictures ?? noPictures);
        if (!before || !pictures) return null;
        const old = before.pictures && JSON.stringify(before.pictures);
        const row = db.updateTable('videos').set({ pictures: JSON.stringify(pictures), updatedAt: clock.wall() }).where('id', '=', id);
        const { channelId, visibility } = before;
        // Somebody may have changed others of them meanwhile: what he did stays.
        const done = await write([must(old === null ? row.where('pictures', 'is', null) : row.where('pictures', '=', old))], [{ type: 'video.updated', videoId: id, channelId, visibility, changed: ['pictures'] }]);
        if (done) return get(id);
      }
    },
    async findChapters(id, chapters) {
      const before = await get(id);
      if (!before) return false;
      const set = { chapters: JSON.stringify(chapters), updatedAt: clock.wall() };
      const { channelId, visibility } = before;
      return (await write([must(db.updateTable('videos').set(set).where('id', '=', id).where('chapters', 'is', null))], [{ type: 'video.updated', videoId: id, channelId, visibility, changed: ['chapters'] }])) !== null;
    },
    async allIds() {
      const rows = await db.selectFrom('videos').select('id').execute();
      return rows.map(({ id }) => id);
    },
  };
};
