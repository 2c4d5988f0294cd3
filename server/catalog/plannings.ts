/** Videos for which it is to be worked out what belongs behind them. What is noted here outlives the process that was to do it. */
import type { Ground } from './ground.ts';

export interface PlanningStore {
  /** A video that is gone is not noted. */
  note(video: string): Promise<void>;
  all(): Promise<string[]>;
  /** How often it has been noted since it was planned; null: not at all. */
  turnOf(video: string): Promise<number | null>;
  /** It is planned as it was at this turn: when it was noted again meanwhile, it stays noted. */
  planned(video: string, turn: number): Promise<void>;
}

export const createPlannings = ({ db }: Pick<Ground, 'db'>): PlanningStore => ({
  async note(video) {
    const there = db.selectFrom('videos').select((eb) => ['videos.id', eb.lit(1).as('turn')]).where('videos.id', '=', video);
    await db
      .insertInto('plannings')
      .columns(['videoId', 'turn'])
      .expression(there)
      .onConflict((conflict) => conflict.column('videoId').doUpdateSet((eb) => ({ turn: eb('plannings.turn', '+', 1) })))
      .execute();
  },
  async all() {
    const rows = await db.selectFrom('plannings').select('videoId').execute();
    return rows.map(({ videoId }) => videoId);
  },
  async turnOf(video) {
    const row = await db.selectFrom('plannings').select('turn').where('videoId', '=', video).executeTakeFirst();
    return row?.turn ?? null;
  },
  async planned(video, turn) {
    await db.deleteFrom('plannings').where('videoId', '=', video).where('turn', '=', turn).execute();
  },
});
