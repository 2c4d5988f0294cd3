/** Encoders that were not let in, of all channels. */
import { api } from '../../api/endpoints.ts';
import { AttemptTable } from '../../parts/attempts.tsx';
import { Failed, Skeleton } from '../../parts/states.tsx';
import { useEvery, useLoaded } from '../../state/use.ts';
import { t } from '../../words/index.ts';

export const RefusedSenders = () => {
  const attempts = useLoaded('attempts', () => api.attempts());
  useEvery(15_000, attempts.reload);
  return (
    <section class="card" aria-labelledby="refused">
      <header>
        <h2 id="refused">{t('attempts.title')}</h2>
        <p class="small soft">{t('attempts.text')}</p>
      </header>
      {attempts.now.is === 'loading' && <Skeleton lines={1} />}
      {attempts.now.is === 'failed' && <Failed problem={attempts.now.problem} onRetry={attempts.reload} />}
      {attempts.now.is === 'here' && attempts.now.value.items.length === 0 && <p>{t('attempts.none')}</p>}
      {attempts.now.is === 'here' && attempts.now.value.items.length > 0 && (
        <AttemptTable attempts={attempts.now.value.items} channels />
      )}
    </section>
  );
};
