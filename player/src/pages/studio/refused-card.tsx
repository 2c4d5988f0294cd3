/** Encoders that came with a key of this channel and were not let in. Nothing at all where there are none. */
import { api } from '../../api/endpoints.ts';
import { AttemptTable } from '../../parts/attempts.tsx';
import { useEvery, useLoaded } from '../../state/use.ts';
import { t } from '../../words/index.ts';

export const RefusedCard = ({ channel }: { channel: string }) => {
  const attempts = useLoaded(`attempts ${channel}`, () => api.channelAttempts(channel));
  useEvery(15_000, attempts.reload);
  // A server that does not know of them has none to show.
  const items = attempts.now.is === 'here' ? attempts.now.value.items : [];
  if (items.length === 0) return null;
  return (
    <section class="card" aria-labelledby="refused">
      <header>
        <h2 id="refused">{t('attempts.title')}</h2>
        <p class="small soft">{t('attempts.text.channel')}</p>
      </header>
      <AttemptTable attempts={items} channels={false} />
    </section>
  );
};
