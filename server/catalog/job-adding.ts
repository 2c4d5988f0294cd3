/** New jobs, all of a batch in one transaction. */
import { setImmediate as turn } from 'node:timers/promises';
import { downStates, QueueError, type NewJob } from '../jobs/queue.ts';
import { CatalogError } from './errors.ts';
import type { Ground, Part } from './ground.ts';
import { also, must } from './ground.ts';
import { batchOf, written, type JobRow, type Known, type WrittenJob } from './job-rows.ts';
import { bringDown, countWaits, jobsNamed, portions } from './job-statements.ts';

/** Somebody else may queue the same meanwhile. */
const mostTries = 10;

/** Compiled now, and what else the server has to do gets its turn: a batch may have thousands of rows. */
const ready = async ({ query, must: needed }: Part): Promise<Part> => {
  const compiled = query.compile();
  await turn();
  return { query: { compile: () => compiled }, must: needed };
};

/** Resolves with those that were not there. Nothing is added where `first` finds nothing. */
export type AddJobs = (jobs: readonly NewJob[], first?: Part) => Promise<readonly JobRow[]>;

export const createAddJobs = ({ db, clock, write }: Ground): AddJobs => {
  const knownOf = async (keys: readonly string[]): Promise<Map<string, Known>> => {
    const found = await Promise.all(portions(keys).map((some) => db.selectFrom('jobs').select(['id', 'uniqueKey', 'videoId']).where('uniqueKey', 'in', some).execute()));
    return new Map(found.flat().map((row) => [row.uniqueKey, row]));
  };
  const mustHave = async (videos: readonly string[]): Promise<void> => {
    for (const id of videos) {
      const found = await db.selectFrom('videos').select('id').where('id', '=', id).executeTakeFirst();
      if (!found) throw new QueueError('no-video', `There is no video ${id}.`);
    }
  };
  const add = async (jobs: readonly WrittenJob[], first: Part | undefined, triesLeft: number): Promise<readonly JobRow[]> => {
    const now = clock.wall();
    const keys = new Set(jobs.flatMap(({ key, needs = [] }) => [key, ...needs]));
    const { rows, needs, outside } = batchOf(jobs, await knownOf([...keys]), now);
    if (rows.length === 0) return [];
    const waiting = [...new Set(needs.map(({ job }) => job))];
    const parts: Part[] = first ? [first] : [];
    for (const some of portions(rows)) parts.push(await ready(must(db.insertInto('jobs').values(some))));
    for (const some of portions(needs)) parts.push(await ready(must(db.insertInto('jobNeeds').values(some))));
    for (const some of portions(waiting)) parts.push(await ready(also(countWaits(db, some))));
    for (const some of portions(outside)) parts.push(await ready(bringDown(db, jobsNamed(db, some).where('state', 'in', downStates), now)));
    try {
      return (await write(parts)) ? rows : [];
    } catch (error) {
      const meanwhile = error instanceof CatalogError && (error.code === 'unique' || error.code === 'reference');
      if (!meanwhile || triesLeft <= 1) throw error;
      if (error.code === 'reference') await mustHave([...new Set(jobs.flatMap(({ videoId = [] }) => videoId))]);
      return add(jobs, first, triesLeft - 1);
    }
  };
  return async (jobs, first) => {
    const all: WrittenJob[] = [];
    for (const some of portions(jobs)) {
      all.push(...some.map(written));
      if (jobs.length > some.length) await turn();
    }
    return add(all, first, mostTries);
  };
};
