/** How broadcasts came in: one report of a video, small, and replaced as the broadcast goes on. */
import type { Ground } from './ground.ts';
import { must } from './ground.ts';

/** Bytes of one, as JSON. Reports are made of bounded lists; this is what they are held to. */
export const largestReport = 64 * 1024;

export interface IngestReportStore {
  /** In the place of the one before. False: too large, or there is no such video. */
  put(videoId: string, report: string): Promise<boolean>;
  get(videoId: string): Promise<string | null>;
}

export const createIngestReports = ({ db, clock, write }: Ground): IngestReportStore => ({
  async put(videoId, report) {
    if (Buffer.byteLength(report) > largestReport) return false;
    const updatedAt = clock.wall();
    // The video may have been removed meanwhile, which is no error: nothing of the write happens then.
    const of = db.updateTable('videos').set((eb) => ({ updatedAt: eb.ref('videos.updatedAt') })).where('id', '=', videoId);
    const row = db
      .insertInto('ingestReports')
      .values({ videoId, report, updatedAt })
      .onConflict((conflict) => conflict.column('videoId').doUpdateSet({ report, updatedAt }));
    return (await write([must(of), must(row)])) !== null;
  },
  async get(videoId) {
    const row = await db.selectFrom('ingestReports').select('report').where('videoId', '=', videoId).executeTakeFirst();
    return row?.report ?? null;
  },
});
