/** What is being worked on: which video, by whom, how far, queued when. */
import type { Job, Worker } from '../../../api/work.ts';
import { dateOf, percentText } from '../../../lib/format.ts';
import { Progress } from '../../../parts/progress.tsx';
import { since } from '../../../parts/since.ts';
import { jobText } from '../../../parts/work-words.ts';
import { paths } from '../../../routes.ts';
import { language, t } from '../../../words/index.ts';

/** Jobs name whoever holds them as the registry does. */
export const workerName = (worker: string | null, workers: readonly Worker[]): string => {
  const found = workers.find(({ id, name }) => id === worker || name === worker);
  if (!found) return worker ?? '–';
  return found.here ? t('work.workers.here') : found.name;
};

export const VideoName = ({ video }: { video: Job['video'] }) =>
  video === null ? <span class="soft">{t('work.video.none')}</span> : <a href={paths.watch(video.id)}>{video.title || t('home.untitled')}</a>;

export const Running = ({ jobs, workers }: { jobs: readonly Job[]; workers: readonly Worker[] }) => (
  <section class="card" aria-labelledby="running">
    <h2 id="running">{t('work.running')}</h2>
    {jobs.length === 0 ? (
      <p class="soft">{t('work.running.none')}</p>
    ) : (
      <div class="table-wrap">
        <table class="stacks">
          <thead>
            <tr>
              <th scope="col">{t('work.job')}</th>
              <th scope="col">{t('work.video')}</th>
              <th scope="col">{t('work.worker')}</th>
              <th scope="col">{t('work.progress')}</th>
              <th scope="col">{t('work.queued')}</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <Row key={job.id} job={job} worker={workerName(job.worker, workers)} />
            ))}
          </tbody>
        </table>
      </div>
    )}
  </section>
);

const Row = ({ job, worker }: { job: Job; worker: string }) => {
  const percent = percentText(language.get(), job.done);
  return (
    <tr data-job={job.id}>
      <th scope="row">{jobText(job)}</th>
      <td class="wide">
        <VideoName video={job.video} />
      </td>
      <td>{worker}</td>
      <td>
        <div class="job-progress">
          <Progress label={t('work.progress.of', { job: jobText(job) })} share={job.done} words={percent} />
          <span aria-hidden="true">{percent}</span>
        </div>
      </td>
      <td>
        <time dateTime={dateOf(job.createdAt).toISOString()}>{since(job.createdAt)}</time>
      </td>
    </tr>
  );
};
