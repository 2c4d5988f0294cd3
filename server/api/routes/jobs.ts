/** For admins: the jobs of all videos, and who does them. */
import { Type } from 'typebox';
import type { Job } from '../../jobs/queue.ts';
import { pageAnswer, pageQuery, pageRequest } from '../kit/cursor.ts';
import { notFound } from '../kit/problem.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import type { Ground } from './ground.ts';
import { closed, idText } from './shapes.ts';
import { cancelJob, changePriority, retryJob } from './work-orders.ts';
import { jobShape, jobState, jobViews, priority, workerShape, workerViews } from './work-view.ts';

const params = Type.Object({ job: idText });
const answers = { 200: jobShape };

export const jobRoutes = (ground: Ground): readonly Route[] => {
  const { catalog, hooks } = ground;
  const found = async (id: string): Promise<Job> => {
    const job = await catalog.jobs.get(id);
    if (!job) throw notFound('job');
    return job;
  };
  const shown = async (id: string): Promise<{ status: number; body: unknown }> => ({ status: 200, body: (await jobViews(catalog, [await found(id)]))[0] });
  return [
    route({
      name: 'listJobs',
      summary: 'Jobs as far as they are kept, the newest first.',
      method: 'GET',
      path: '/jobs',
      auth: 'admin',
      query: Type.Object(
        {
          state: Type.Optional(jobState),
          class: Type.Optional(Type.String({ pattern: '^[a-z][a-z-]{0,30}$' })),
          video: Type.Optional(idText),
          ...pageQuery,
        },
        closed,
      ),
      answers: { 200: Type.Object({ items: Type.Array(jobShape), cursor: Type.Union([Type.String(), Type.Null()]) }, closed) },
      handler: async ({ query: { state, class: jobClass, video, ...page } }) => {
        const filter = { ...(state !== undefined && { state }), ...(jobClass !== undefined && { class: jobClass }), ...(video !== undefined && { videoId: video }) };
        const { items, cursor } = pageAnswer(await catalog.jobs.list({ ...pageRequest(page), ...filter }), (job) => job);
        return { status: 200, body: { items: await jobViews(catalog, items), cursor } };
      },
    }),
    route({
      name: 'cancelJob',
      summary: 'Cancels a job and all that needs it; whoever works on it stops.',
      method: 'POST',
      path: '/jobs/:job/cancel',
      auth: 'admin',
      params,
      answers,
      problems: ['job-over'],
      handler: async ({ params: { job } }) => {
        await cancelJob(ground, await found(job));
        return shown(job);
      },
    }),
    route({
      name: 'retryJob',
      summary: 'Tries a dead or cancelled job again with all its attempts, with what it needs and what fell with it.',
      method: 'POST',
      path: '/jobs/:job/retry',
      auth: 'admin',
      params,
      answers,
      problems: ['job-not-failed'],
      handler: async ({ params: { job } }) => {
        await retryJob(ground, await found(job));
        return shown(job);
      },
    }),
    route({
      name: 'patchJob',
      summary: 'Changes how urgent a job is that is not over.',
      method: 'PATCH',
      path: '/jobs/:job',
      auth: 'admin',
      params,
      body: Type.Object({ priority }, closed),
      answers,
      problems: ['job-over'],
      handler: async ({ params: { job }, body }) => {
        await changePriority(ground, await found(job), body.priority);
        return shown(job);
      },
    }),
    route({
      name: 'listWorkers',
      summary: 'Who does jobs: the server itself, and workers beside it.',
      method: 'GET',
      path: '/workers',
      auth: 'admin',
      answers: { 200: Type.Object({ items: Type.Array(workerShape) }, closed) },
      handler: async () => ({ status: 200, body: { items: await workerViews(catalog, hooks.work.workers()) } }),
    }),
  ];
};
