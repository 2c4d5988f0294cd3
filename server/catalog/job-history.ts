/**
 * What is kept of jobs that are over. The chunks of a long video are hundreds of rows that nobody asks for when all of it
 * is done: of each task that had many, one row is left, which stands for all of them.
 */
import { downStates, openStates } from '../jobs/queue.ts';
import type { Ground, Part } from './ground.ts';
import { also } from './ground.ts';
import { portions } from './job-statements.ts';

/** A task of so few jobs is kept whole. */
const few = 8;
/** Of which rows are taken together, in one turn: the next one goes on. */
const videosOfTurn = 20;

export type JobHistory = {
  /** All of the video may be done. */
  note(videoId: string | null): void;
  tidy(): Promise<void>;
};

type Row = { readonly id: string; readonly task: string | null; readonly kind: string; readonly weight: number; readonly stands: number };

export const createJobHistory = ({ db, write }: Pick<Ground, 'db' | 'write'>): JobHistory => {
  const noted = new Set<string>();
  let looked = false;
  /** Those that were done before the server was started. */
  const lookAll = async (): Promise<void> => {
    const many = await db.selectFrom('jobs').select('videoId').where('videoId', 'is not', null).groupBy('videoId').having((eb) => eb.fn.countAll(), '>', few).execute();
    for (const { videoId } of many) if (videoId !== null) noted.add(videoId);
    looked = true;
  };
  const isOver = async (videoId: string): Promise<boolean> => {
    const found = await db.selectFrom('jobs').select('id').where('videoId', '=', videoId).where('state', 'in', [...openStates, ...downStates]).limit(1).executeTakeFirst();
    return found === undefined;
  };
  const takeTogether = (rows: readonly Row[]): Part[] => {
    const [first, ...others] = rows;
    if (!first || rows.length <= few) return [];
    const sum = (of: 'weight' | 'stands'): number => rows.reduce((all, row) => all + row[of], 0);
    const whole = { weight: sum('weight'), stands: sum('stands') };
    const gone = portions(others.map(({ id }) => id)).map((some) => also(db.deleteFrom('jobs').where('id', 'in', some).where('state', '=', 'done')));
    return [also(db.updateTable('jobs').set(whole).where('id', '=', first.id)), ...gone];
  };
  return {
    note(videoId) {
      if (videoId !== null) noted.add(videoId);
    },
    async tidy() {
      if (!looked) await lookAll();
      for (const videoId of [...noted].slice(0, videosOfTurn)) {
        noted.delete(videoId);
        if (!(await isOver(videoId))) continue;
        const rows = await db.selectFrom('jobs').select(['id', 'task', 'kind', 'weight', 'stands']).where('videoId', '=', videoId).orderBy('createdAt').orderBy('position').execute();
        const parts = [...Map.groupBy(rows, ({ task, kind }) => JSON.stringify([task, kind])).values()].flatMap(takeTogether);
        if (parts.length > 0) await write(parts);
      }
    },
  };
};
