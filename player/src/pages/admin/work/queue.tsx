/** How much there is of each kind of work, by how it stands. */
import { jobStates } from '../../../api/work.ts';
import type { JobCount, JobState } from '../../../api/work.ts';
import { count } from '../../../lib/format.ts';
import { classText, standing, stateText } from '../../../parts/work-words.ts';
import { language, t } from '../../../words/index.ts';

const headOf = (state: JobState): string => stateText(standing({ state, waits: 0 }));

export const Queue = ({ counts }: { counts: readonly JobCount[] | null }) => (
  <section class="card" aria-labelledby="queue">
    <h2 id="queue">{t('work.queue')}</h2>
    {counts === null && <p class="soft">{t('work.queue.unknown')}</p>}
    {counts?.length === 0 && <p class="soft">{t('work.queue.empty')}</p>}
    {counts !== null && counts.length > 0 && <Counts counts={counts} />}
  </section>
);

const Counts = ({ counts }: { counts: readonly JobCount[] }) => {
  const classes = [...new Set(counts.map((one) => one.class))].sort();
  const of = (name: string, state: JobState): number => counts.filter((one) => one.class === name && one.state === state).reduce((sum, one) => sum + one.count, 0);
  return (
    <div class="table-wrap">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">{t('work.queue.class')}</th>
            {jobStates.map((state) => (
              <th key={state} scope="col">
                {headOf(state)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((name) => (
            <tr key={name} data-class={name}>
              <th scope="row">{classText(name)}</th>
              {jobStates.map((state) => (
                <td key={state} data-state={state} class={of(name, state) === 0 ? 'faint' : state === 'dead' ? 'bad' : ''}>
                  {count(language.get(), of(name, state))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
