/** Which jobs begin anew when some are tried again. */
import type { Transaction } from 'kysely';
import { downStates, isDown } from '../jobs/queue.ts';
import type { JobRow, NeedRow } from './job-rows.ts';
import { countWaits, held, portions } from './job-statements.ts';
import type { JobState, Schema } from './schema.ts';

export type JobNode = { readonly id: string; readonly state: JobState; readonly fallen: number };

/**
 * Those that are meant, with all that they need that is down; then everything that fell, and that nothing keeps down any
 * more. What somebody cancelled stays so, unless it is meant or needed. Pure.
 */
export const revived = (meant: readonly string[], nodes: readonly JobNode[], needs: readonly NeedRow[]): Set<string> => {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const needsOf = new Map<string, string[]>();
  const neededBy = new Map<string, string[]>();
  for (const { job, needs: need } of needs) {
    needsOf.set(job, needsOf.get(job) ?? []).get(job)?.push(need);
    neededBy.set(need, neededBy.get(need) ?? []).get(need)?.push(job);
  }
  const isDownThere = (id: string): boolean => {
    const node = known.get(id);
    return node !== undefined && isDown(node);
  };
  const up = new Set(meant.filter(isDownThere));
  // A set that is added to while it is gone through is gone through to its new end.
  for (const id of up) for (const need of needsOf.get(id) ?? []) if (isDownThere(need)) up.add(need);
  for (const id of up) {
    for (const behind of neededBy.get(id) ?? []) {
      const free = (needsOf.get(behind) ?? []).every((need) => up.has(need) || !isDownThere(need));
      if (known.get(behind)?.fallen === 1 && free) up.add(behind);
    }
  }
  return up;
};

/** All that hangs together with these, whatever lies between. */
const neighbourhood = async (trx: Transaction<Schema>, meant: readonly string[]): Promise<{ readonly ids: string[]; readonly needs: NeedRow[] }> => {
  const ids = new Set(meant);
  const needs = new Map<string, NeedRow>();
  for (let fresh = [...meant]; fresh.length > 0; ) {
    const edges: NeedRow[] = [];
    for (const some of portions(fresh)) {
      const found = trx.selectFrom('jobNeeds').selectAll();
      edges.push(...(await found.where('job', 'in', some).execute()), ...(await found.where('needs', 'in', some).execute()));
    }
    for (const edge of edges) needs.set(`${edge.job} ${edge.needs}`, edge);
    fresh = [...new Set(edges.flatMap((edge) => [edge.job, edge.needs]))].filter((id) => !ids.has(id));
    for (const id of fresh) ids.add(id);
  }
  return { ids: [...ids], needs: [...needs.values()] };
};

/** Tries these again that are down, with what belongs to that. Resolves with those of these. */
export const revive = async (trx: Transaction<Schema>, of: 'id' | 'videoId', value: string, now: number): Promise<Pick<JobRow, 'id' | 'videoId'>[]> => {
  const found = await trx.selectFrom('jobs').select(['id', 'videoId']).where(of, '=', value).where('state', 'in', downStates).execute();
  const meant = found.map(({ id }) => id);
  const { ids, needs } = await neighbourhood(trx, meant);
  const nodes: JobNode[] = [];
  for (const some of portions(ids)) nodes.push(...(await trx.selectFrom('jobs').select(['id', 'state', 'fallen']).where('id', 'in', some).execute()));
  const anew: Partial<JobRow> = { ...held, state: 'queued', attempts: 0, runAt: now, reason: null, result: null, done: 0, fallen: 0, updatedAt: now };
  for (const some of portions([...revived(meant, nodes, needs)])) {
    await trx.updateTable('jobs').set(anew).where('id', 'in', some).execute();
    // What they needed may be gone by now: rungs that were dropped, and their jobs with them.
    await countWaits(trx, some).execute();
  }
  return found;
};
