/** What is made behind a video, by task: for its owner. */
import { Type } from 'typebox';
import { tasksOf } from '../../jobs/tasks.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { ownVideo } from './access.ts';
import type { Ground } from './ground.ts';
import { idText } from './shapes.ts';
import { cancelTasks, retryTasks } from './work-orders.ts';
import { tasksShape } from './work-view.ts';

export const taskRoutes = (ground: Ground): readonly Route[] => {
  const shared = { auth: 'viewer', params: Type.Object({ video: idText }), answers: { 200: tasksShape } } as const;
  const shown = async (video: string): Promise<{ status: number; body: unknown }> => ({ status: 200, body: tasksOf(await ground.catalog.jobs.sharesOf(video)) });
  return [
    route({
      ...shared,
      name: 'getVideoTasks',
      summary: 'What is made of a video, and how far it is. What is done is told for 30 days.',
      method: 'GET',
      path: '/videos/:video/tasks',
      problems: ['not-yours'],
      handler: async ({ who, params: { video } }) => shown((await ownVideo(ground, video, who)).id),
    }),
    route({
      ...shared,
      name: 'cancelVideoTasks',
      summary: 'Cancels what is not done of them; what plays already stays.',
      method: 'POST',
      path: '/videos/:video/tasks/cancel',
      problems: ['not-yours', 'job-over'],
      handler: async ({ who, params: { video } }) => {
        const { id } = await ownVideo(ground, video, who);
        await cancelTasks(ground, id);
        return shown(id);
      },
    }),
    route({
      ...shared,
      name: 'retryVideoTasks',
      summary: 'Tries again what failed or was cancelled; of a video that nothing was ever made of, plans what belongs behind it.',
      method: 'POST',
      path: '/videos/:video/tasks/retry',
      problems: ['not-yours', 'job-not-failed'],
      handler: async ({ who, params: { video } }) => {
        const row = await ownVideo(ground, video, who);
        await retryTasks(ground, row);
        return shown(row.id);
      },
    }),
  ];
};
