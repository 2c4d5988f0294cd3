/** What is done behind a video, for its owner: how far in total and step by step, what failed and why, and how to stop or go on. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { followTasks } from '../../api/follow-browser.ts';
import { withReasons } from '../../api/work.ts';
import type { Task, Tasks } from '../../api/work.ts';
import { percentText } from '../../lib/format.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Failed, problemText, Skeleton } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { reasonText } from '../../parts/work-reasons.ts';
import { looks, stateText, taskText } from '../../parts/work-words.ts';
import { useSending } from '../../state/use-form.ts';
import { useLoaded } from '../../state/use.ts';
import type { Loaded, Loading } from '../../state/use.ts';
import { language, t } from '../../words/index.ts';

/** What was asked for, and what was heard since. */
const useTasks = (video: string): Loading<Tasks> => {
  const asked = useLoaded(`tasks ${video}`, () => api.videoTasks(video));
  const hear = (heard: Tasks): void => {
    const { tasks, isWhole } = withReasons(heard, asked.now.is === 'here' ? asked.now.value.tasks : []);
    asked.replace(tasks);
    if (!isWhole) asked.reload();
  };
  const latest = useRef(hear);
  latest.current = hear;
  useEffect(() => followTasks(video, (heard) => latest.current(heard)), [video]);
  return asked;
};

/** Hears when more of it is done than before: what came of it is told with the video. */
const useDone = (now: Loaded<Tasks>, onDone: () => void): void => {
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (now.is === 'loading') known.current = null;
    if (now.is !== 'here') return;
    const before = known.current;
    // What was done, and had to be done anew, has more jobs behind it.
    known.current = new Set(now.value.tasks.filter(({ state }) => state === 'done').map(({ name, finished }) => `${name} ${finished}`));
    if (before && [...known.current].some((task) => !before.has(task))) onDone();
  }, [now]);
};

const isUnderWay = ({ state }: Task): boolean => state === 'waiting' || state === 'queued' || state === 'running';
const isDown = ({ state }: Task): boolean => state === 'failed' || state === 'cancelled';

export const TasksCard = ({ video, onDone }: { video: string; onDone: () => void }) => {
  const tasks = useTasks(video);
  const { now } = tasks;
  useDone(now, onDone);
  // A server that knows of no tasks has none to show.
  if (now.is === 'failed' && now.problem.hidden) return null;
  return (
    <section class="card" aria-labelledby="tasks">
      <header>
        <h2 id="tasks">{t('tasks.title')}</h2>
        <p class="small soft">{t('tasks.text')}</p>
      </header>
      {now.is === 'loading' && <Skeleton lines={1} />}
      {now.is === 'failed' && <Failed problem={now.problem} onRetry={tasks.reload} />}
      {now.is === 'here' && now.value.tasks.length === 0 && <p class="soft">{t('tasks.none')}</p>}
      {now.is === 'here' && now.value.tasks.length > 0 && <Steps video={video} tasks={now.value} onChanged={tasks.reload} />}
    </section>
  );
};

const Steps = ({ video, tasks: { done, tasks }, onChanged }: { video: string; tasks: Tasks; onChanged: () => void }) => {
  const [asking, setAsking] = useState<'cancel' | 'retry' | null>(null);
  const sending = useSending();
  const underWay = tasks.some(isUnderWay);
  const down = tasks.some(isDown);
  const act = (what: 'cancel' | 'retry'): void =>
    sending.run(async () => {
      await (what === 'cancel' ? api.cancelTasks(video) : api.retryTasks(video));
      toast(t(what === 'cancel' ? 'tasks.cancelled' : 'tasks.retried'));
      setAsking(null);
      onChanged();
    });
  const percent = done === null ? '' : percentText(language.get(), done);
  const problem = sending.problem && problemText(sending.problem);
  return (
    <>
      {underWay && done !== null && (
        <div class="task-total">
          <Progress label={t('tasks.total')} share={done} words={percent} still={!tasks.some(({ state }) => state === 'running')} />
          <span aria-hidden="true">{percent}</span>
        </div>
      )}
      {!underWay && !down && <p>{t('tasks.allDone')}</p>}
      {/* Open while there is something to see in it. */}
      <details open={underWay || down}>
        <summary>{t('tasks.steps')}</summary>
        <ul class="tasks">
          {tasks.map((task) => (
            <Step key={task.name} task={task} />
          ))}
        </ul>
      </details>
      {(underWay || down) && (
        <div class="form-foot">
          {underWay && <Button onPress={() => setAsking('cancel')}>{t('tasks.cancel')}</Button>}
          {down && <Button onPress={() => setAsking('retry')}>{t('tasks.retry')}</Button>}
        </div>
      )}
      {asking === 'cancel' && (
        <Confirm
          title={t('tasks.cancel.title')}
          text={t('tasks.cancel.text')}
          yes={t('tasks.cancel')}
          no={t('tasks.cancel.keep')}
          problem={problem}
          busy={sending.busy}
          onYes={() => act('cancel')}
          onNo={() => setAsking(null)}
        />
      )}
      {asking === 'retry' && (
        <Confirm title={t('tasks.retry.title')} text={t('tasks.retry.text')} yes={t('tasks.retry')} look="primary" problem={problem} busy={sending.busy} onYes={() => act('retry')} onNo={() => setAsking(null)} />
      )}
    </>
  );
};

const Step = ({ task }: { task: Task }) => {
  const { name, state, done, jobs, finished, reason } = task;
  const words = state === 'running' ? percentText(language.get(), done) : stateText(state);
  return (
    <li data-task={name} data-state={state}>
      <p class="row">
        <span class="task-name">{taskText(task)}</span>
        {jobs > 1 && (state === 'running' || isDown(task)) && <span class="small soft facts-line">{t('tasks.of', { finished, jobs })}</span>}
        <span class={`badge ${looks[state]}`}>{words}</span>
      </p>
      {state === 'running' && <Progress label={taskText(task)} share={done} words={words} />}
      {reason !== null && isDown(task) && <p class={`small ${state === 'failed' ? 'bad' : 'soft'}`}>{reasonText(reason)}</p>}
    </li>
  );
};
