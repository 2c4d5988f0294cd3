/** What is ordered about jobs: they are stopped at once, or tried again with all that goes with it. */
import type { VideoRow } from '../../catalog/videos.ts';
import { isDown, type Job } from '../../jobs/queue.ts';
import { isIntakes, isPipelines } from '../../jobs/tasks.ts';
import { Problem } from '../kit/problem.ts';
import type { Ground } from './ground.ts';

type Orders = Pick<Ground, 'catalog' | 'hooks'>;

const jobOver = (): Problem => new Problem('job-over', 'It is over already: there is nothing to be cancelled or changed.');
const notFailed = (): Problem => new Problem('job-not-failed', 'It has neither failed nor been cancelled: there is nothing to be tried again.');

/** What has failed before it was a video is on its way to be one again. */
const reopen = async ({ catalog }: Orders, videoId: string): Promise<void> => {
  const shares = await catalog.jobs.sharesOf(videoId);
  if (shares.some((share) => isIntakes(share) && isDown(share))) {
    await catalog.videos.become(videoId, ['failed'], { state: 'processing', error: null });
  }
};

export const cancelJob = async ({ catalog, hooks }: Orders, { id, videoId }: Job): Promise<void> => {
  if (!(await catalog.jobs.cancel(id))) throw jobOver();
  hooks.work.cancelled((job) => job.id === id, videoId);
};

export const retryJob = async (orders: Orders, job: Job): Promise<void> => {
  const { id, videoId } = job;
  if (!isDown(job)) throw notFailed();
  // What else is tried again makes no video of it.
  if (videoId !== null && isIntakes(job)) await reopen(orders, videoId);
  if (!(await orders.catalog.jobs.retry(id))) throw notFailed();
  orders.hooks.work.retried(videoId);
};

export const changePriority = async ({ catalog }: Orders, { id }: Job, priority: number): Promise<void> => {
  if (!(await catalog.jobs.prioritise(id, priority))) throw jobOver();
};

export const cancelTasks = async ({ catalog, hooks }: Orders, videoId: string): Promise<void> => {
  if ((await catalog.jobs.cancelVideo(videoId)) === 0) throw jobOver();
  hooks.work.cancelled((job) => job.videoId === videoId, videoId);
};

export const retryTasks = async (orders: Orders, video: VideoRow): Promise<void> => {
  const { catalog: { jobs }, hooks: { work } } = orders;
  await reopen(orders, video.id);
  if ((await jobs.retryVideo(video.id)) > 0) return work.retried(video.id);
  if (!isUntouched(video) || (await jobs.sharesOf(video.id)).some(isPipelines)) throw notFailed();
  work.wanted(video.id);
};

/** Nothing was ever made behind it: it was there before that was done, or it could not be planned. Of what is long over the jobs are forgotten, and the pictures are there. */
const isUntouched = ({ state, run, pictures, errorCode }: VideoRow): boolean => run !== null && (state === 'playable' ? errorCode !== null : state === 'ready' && pictures === null);
