/** Jobs, tasks and workers as administrators and owners see them. */
import { Type } from 'typebox';
import type { Catalog } from '../../catalog/catalog.ts';
import { highestPriority, type Job } from '../../jobs/queue.ts';
import { taskNameOf, taskStates } from '../../jobs/tasks.ts';
import type { WorkerHere } from '../hooks.ts';
import { closed, iso, time } from './shapes.ts';

const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);
const count = Type.Integer({ minimum: 0 });
const share = Type.Number({ minimum: 0, maximum: 1, description: '0 to 1.' });

export const jobState = Type.Enum(['queued', 'leased', 'done', 'dead', 'cancelled'], {
  description: '`leased`: somebody works on it. `dead`: it has failed for good. `cancelled`: by somebody, or since what it needs is dead or cancelled.',
});
export const priority = Type.Integer({ minimum: -highestPriority, maximum: highestPriority, wants: `a whole number from ${-highestPriority} to ${highestPriority}`, description: 'The highest goes first, over all classes of what keeps a core busy.' });

export const jobShape = Type.Object(
  {
    id: Type.String(),
    kind: Type.String({ description: 'What is done.' }),
    task: nullable(Type.String({ description: 'As the pipeline calls it, or `intake.` and what is done to make the file playable.' })),
    class: Type.String({ description: 'Who can do it.' }),
    state: jobState,
    priority,
    attempts: count,
    maxAttempts: count,
    done: share,
    waits: Type.Integer({ minimum: 0, description: 'Others that have to be done before it.' }),
    video: nullable(Type.Object({ id: Type.String(), title: Type.String() }, closed)),
    worker: nullable(Type.String({ description: 'The id of who works on it.' })),
    reason: nullable(Type.String({ description: 'Why the last attempt failed, or why it is over.' })),
    createdAt: time,
    updatedAt: time,
  },
  closed,
);

export const workerShape = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    here: Type.Boolean({ description: 'It is the server itself.' }),
    pid: count,
    classes: Type.Array(Type.String()),
    slots: Type.Integer({ minimum: 0, description: 'Jobs that keep a core busy, at once at the most.' }),
    since: time,
    running: Type.Array(Type.Object({ job: Type.String({ description: 'Its id.' }), kind: Type.String(), video: nullable(Type.String({ description: 'Its id.' })), done: share }, closed)),
  },
  closed,
);

export const tasksShape = Type.Object(
  {
    done: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'Of all of them; null: there has been nothing to do.' })),
    tasks: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'As the pipeline calls it, or `intake.` and the kind, of what is done to make the file playable.' }),
          kind: Type.String({ description: 'What is done: a kind of the pipeline’s tasks, or `inspect`, `remux`, `audio`, `lowest`, `mezzanine`, `captions`.' }),
          state: Type.Enum([...taskStates], { description: '`waiting`: for other tasks. `queued`: for its turn.' }),
          done: share,
          jobs: count,
          finished: Type.Integer({ minimum: 0, description: 'Of the jobs.' }),
          reason: nullable(Type.String({ description: 'Why it failed: a code, a colon, a sentence.' })),
        },
        closed,
      ),
    ),
  },
  closed,
);

export type JobView = Omit<Job, 'key' | 'payload' | 'result' | 'runAt' | 'leaseUntil' | 'videoId' | 'weight' | 'createdAt' | 'updatedAt'> & {
  readonly video: { readonly id: string; readonly title: string } | null;
  readonly createdAt: string;
  readonly updatedAt: string;
};

const viewOf = (job: Job, titles: ReadonlyMap<string, string>): JobView => {
  const { id, kind, class: jobClass, state, priority: urgency, attempts, maxAttempts, done, waits, videoId, worker, reason, createdAt, updatedAt } = job;
  const title = videoId === null ? undefined : titles.get(videoId);
  const video = videoId === null || title === undefined ? null : { id: videoId, title };
  return { id, kind, task: taskNameOf(job), class: jobClass, state, priority: urgency, attempts, maxAttempts, done, waits, video, worker, reason, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
};

/** With the titles of their videos. */
export const jobViews = async ({ videos }: Pick<Catalog, 'videos'>, jobs: readonly Job[]): Promise<JobView[]> => {
  const ids = [...new Set(jobs.flatMap(({ videoId }) => videoId ?? []))];
  const found = await Promise.all(ids.map((id) => videos.get(id)));
  const titles = new Map(found.flatMap((video) => (video ? [[video.id, video.title] as const] : [])));
  return jobs.map((job) => viewOf(job, titles));
};

/** How far a job is stands in the queue. */
export const workerViews = async ({ jobs }: Pick<Catalog, 'jobs'>, workers: readonly WorkerHere[]): Promise<object[]> => {
  const known = new Map((await Promise.all(workers.flatMap(({ running }) => running.map(({ id }) => jobs.get(id))))).flatMap((job) => (job ? [[job.id, job] as const] : [])));
  return workers.map(({ since, running, ...worker }) => ({
    ...worker,
    since: iso(since),
    running: running.map(({ id, kind, videoId, done }) => ({ job: id, kind, video: videoId, done: known.get(id)?.done ?? done })),
  }));
};
