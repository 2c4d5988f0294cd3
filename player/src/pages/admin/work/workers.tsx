/** Who works: the server itself, and processes beside it. */
import type { Worker } from '../../../api/work.ts';
import { decimal, listText } from '../../../lib/format.ts';
import { since } from '../../../parts/since.ts';
import { classText, kindText } from '../../../parts/work-words.ts';
import { language, t } from '../../../words/index.ts';

export const Workers = ({ workers }: { workers: readonly Worker[] }) => (
  <section class="card" aria-labelledby="workers">
    <h2 id="workers">{t('work.workers')}</h2>
    {workers.length === 0 ? (
      <p class="caution">{t('work.workers.none')}</p>
    ) : (
      <div class="table-wrap">
        <table class="stacks">
          <thead>
            <tr>
              <th scope="col">{t('work.worker')}</th>
              <th scope="col">{t('work.workers.takes')}</th>
              <th scope="col">{t('work.workers.slots')}</th>
              <th scope="col">{t('work.workers.doing')}</th>
              <th scope="col">{t('work.since')}</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <Row key={worker.id} worker={worker} />
            ))}
          </tbody>
        </table>
      </div>
    )}
  </section>
);

const Row = ({ worker: { id, name, here, pid, classes, slots, since: began, running } }: { worker: Worker }) => {
  const doing = [...new Set(running.map(({ kind }) => kindText(kind)))];
  return (
    <tr data-worker={id}>
      <th scope="row">
        {here ? t('work.workers.here') : name}
        <small class="soft">{t('work.workers.process', { pid })}</small>
      </th>
      <td class="wide">{listText(language.get(), classes.map(classText))}</td>
      <td data-head={t('work.workers.slots')}>{decimal(language.get(), slots, 0)}</td>
      <td class="wide" data-head={t('work.workers.doing')}>{doing.length === 0 ? <span class="soft">{t('work.workers.idle')}</span> : listText(language.get(), doing)}</td>
      <td data-head={t('work.since')}>{since(began)}</td>
    </tr>
  );
};
