/** Jobs one by one, by how they stand: why one did not come to an end, and what can be done about it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../../../api/endpoints.ts';
import type { Page } from '../../../api/types.ts';
import { jobStates } from '../../../api/work.ts';
import type { Job, JobState, WorkNow } from '../../../api/work.ts';
import { percentText } from '../../../lib/format.ts';
import { Button } from '../../../parts/button.tsx';
import { ChoiceField } from '../../../parts/field.tsx';
import { since } from '../../../parts/since.ts';
import { Failed, Skeleton } from '../../../parts/states.tsx';
import { reasonText } from '../../../parts/work-reasons.ts';
import { jobText, looks, standing, stateText } from '../../../parts/work-words.ts';
import { useEvery, useLoaded } from '../../../state/use.ts';
import type { Loading } from '../../../state/use.ts';
import { language, t, tCount } from '../../../words/index.ts';
import { JobDialog } from './job-dialogs.tsx';
import type { Question } from './job-dialogs.tsx';
import { VideoName, workerName } from './running.tsx';

const choices = ['all', ...jobStates] as const;
type Choice = (typeof choices)[number];
const wordsOf = (choice: Choice): string => (choice === 'all' ? t('work.jobs.all') : stateText(standing({ state: choice, waits: 0 })));

/** What of the news makes the list an old one. */
const newsOf = (now: WorkNow | null): string => JSON.stringify([now?.counts, now?.running.map(({ id }) => id)]);

/** All that is shown is asked for anew, however much of it there is: a row that says how it was would be acted on. */
type Shown = { readonly items: readonly Job[]; readonly cursor: string | null; readonly pages: number };

const firstPages = async (state: JobState | null, pages: number): Promise<Shown> => {
  const items: Job[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pages && (page === 0 || cursor !== null); page += 1) {
    const answer: Page<Job> = await api.jobs({ state, cursor });
    items.push(...answer.items);
    ({ cursor } = answer);
  }
  return { items, cursor, pages };
};

const useJobs = (state: JobState | null, pages: number): Loading<Shown> & { refresh(): void } => {
  const underWay = useRef(0);
  const due = useRef(false);
  const list = useLoaded(`jobs ${state}`, async () => {
    underWay.current += 1;
    try {
      return await firstPages(state, pages);
    } finally {
      underWay.current -= 1;
    }
  });
  const refresh = (): void => {
    // News that come faster than the answers would take the place of each of them.
    due.current = underWay.current > 0;
    if (!due.current) list.reload();
  };
  useEffect(() => {
    if (due.current) refresh();
  }, [list.now]);
  return { ...list, refresh };
};

export const Jobs = ({ now }: { now: WorkNow | null }) => {
  const [choice, setChoice] = useState<Choice>('all');
  const state: JobState | null = choice === 'all' ? null : choice;
  const [asked, setAsked] = useState({ choice, pages: 1 });
  const pages = asked.choice === choice ? asked.pages : 1;
  /** Beside the list: a job that begins, or ends, may leave it while somebody is being asked about it. */
  const [question, setQuestion] = useState<Question | null>(null);
  const list = useJobs(state, pages);
  const news = newsOf(now);
  useEffect(() => {
    if (now !== null) list.refresh();
  }, [news]);
  useEvery(15_000, list.refresh);

  const shown = list.now.is === 'here' ? list.now.value : null;
  const jobs = (shown?.items ?? []).map((job) => now?.running.find(({ id }) => id === job.id) ?? job);
  const loading = shown !== null && shown.pages < pages;
  const more = (): void => {
    setAsked({ choice, pages: pages + 1 });
    list.reload();
  };
  return (
    <section class="card" aria-labelledby="jobs">
      <div class="page-head">
        <div>
          <h2 id="jobs">{t('work.jobs')}</h2>
          <p class="small soft">{t('work.jobs.text')}</p>
        </div>
        <div class="job-filter">
          <ChoiceField label={t('work.jobs.state')} name="state" value={choice} options={choices.map((one) => [one, wordsOf(one)] as const)} onValue={setChoice} />
        </div>
      </div>
      {list.now.is === 'loading' && <Skeleton />}
      {list.now.is === 'failed' && <Failed problem={list.now.problem} onRetry={list.reload} />}
      {shown !== null && jobs.length === 0 && <p class="soft">{t('work.jobs.none')}</p>}
      {jobs.length > 0 && (
        <ul class="jobs">
          {jobs.map((job) => (
            <Row key={job.id} job={job} worker={workerName(job.worker, now?.workers ?? [])} onAsk={setQuestion} />
          ))}
        </ul>
      )}
      {shown !== null && shown.cursor !== null && (
        <div class="form-foot">
          <Button busy={loading} onPress={more}>
            {t(loading ? 'videos.more.doing' : 'videos.more')}
          </Button>
        </div>
      )}
      {question !== null && <JobDialog {...question} onClose={() => setQuestion(null)} onChanged={list.reload} />}
    </section>
  );
};

const factsOf = (job: Job, worker: string): readonly string[] => {
  const state = standing(job);
  return [
    ...(state === 'running' ? [worker, percentText(language.get(), job.done)] : []),
    ...(job.waits > 0 && state === 'waiting' ? [tCount('work.jobs.waits', job.waits)] : []),
    ...(state === 'done' || state === 'cancelled' ? [] : [t('work.jobs.priority', { count: job.priority })]),
    ...(job.attempts > 1 ? [t('work.jobs.attempt', { attempts: job.attempts, most: job.maxAttempts })] : []),
    t('work.jobs.changed', { ago: since(job.updatedAt) }),
  ];
};

const Row = ({ job, worker, onAsk }: { job: Job; worker: string; onAsk: (question: Question) => void }) => {
  const state = standing(job);
  const isOpen = state === 'waiting' || state === 'queued' || state === 'running';
  const names = { job: jobText(job), video: job.video?.title || t('home.untitled') };
  const ask = (what: Question['what']): void => onAsk({ job, names, what });
  return (
    <li class="job" data-job={job.id} data-state={state}>
      <div class="job-facts">
        <p class="row">
          <strong>{names.job}</strong>
          <span class={`badge ${looks[state]}`}>{stateText(state)}</span>
        </p>
        <p class="small soft facts-line">
          <VideoName video={job.video} /> · {factsOf(job, worker).join(' · ')}
        </p>
        {job.reason !== null && state !== 'done' && <p class={`small ${state === 'failed' ? 'bad' : 'soft'}`}>{reasonText(job.reason)}</p>}
      </div>
      <div class="row job-actions">
        {isOpen && state !== 'running' && (
          <Button slim aria-label={t('work.priority.named', names)} onPress={() => ask('priority')}>
            {t('work.priority')}
          </Button>
        )}
        {isOpen && (
          <Button slim aria-label={t('work.cancel.named', names)} onPress={() => ask('cancel')}>
            {t('work.cancel')}
          </Button>
        )}
        {(state === 'failed' || state === 'cancelled') && (
          <Button slim aria-label={t('work.retry.named', names)} onPress={() => ask('retry')}>
            {t('work.retry')}
          </Button>
        )}
      </div>
    </li>
  );
};
