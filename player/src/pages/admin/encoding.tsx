/** The cores that encoding may take, who holds them, and what is encoded beside the broadcasts that are on. */
import { api } from '../../api/endpoints.ts';
import type { EncodedShow, Ladders } from '../../api/types.ts';
import { decimal, heightsText } from '../../lib/format.ts';
import { Progress } from '../../parts/progress.tsx';
import { paths } from '../../routes.ts';
import { useEvery, useLoaded } from '../../state/use.ts';
import { language, t } from '../../words/index.ts';

export const Encoding = () => {
  const ladders = useLoaded('encoding', api.ladders);
  useEvery(5_000, ladders.reload);
  if (ladders.now.is !== 'here') return null;
  const { budget, shows } = ladders.now.value;
  if (!budget || !shows) return null;
  return (
    <section class="card" aria-labelledby="encoding">
      <h2 id="encoding">{t('admin.encoding')}</h2>
      <dl class="facts">
        <Cores {...budget} />
      </dl>
      {shows.length === 0 ? <p class="soft">{t('admin.encoders.none')}</p> : <Encoders shows={shows} leases={budget.leases} />}
    </section>
  );
};

type Budget = NonNullable<Ladders['budget']>;

const coresText = (cores: number): string => decimal(language.get(), cores, 2);

const Cores = ({ total, leases }: Budget) => {
  const held = (rank: 'live' | 'vod'): number => leases.filter((lease) => lease.rank === rank).reduce((sum, { cores }) => sum + cores, 0);
  const [live, vod] = [held('live'), held('vod')];
  const words = t('admin.cores.text', { used: coresText(live + vod), total: coresText(total) });
  return (
    <>
      <dt>{t('admin.cores')}</dt>
      <dd>
        {total > 0 ? (
          <div class="used">
            <span>{words}</span>
            <Progress label={t('admin.cores')} share={Math.min(1, (live + vod) / total)} words={words} still />
            {live + vod > 0 && <small>{t('admin.cores.by', { live: coresText(live), vod: coresText(vod) })}</small>}
          </div>
        ) : (
          t('admin.cores.none')
        )}
      </dd>
    </>
  );
};

const missingOf = ({ shed, leftOut }: EncodedShow): readonly string[] => [
  ...(shed.length > 0 ? [t('admin.encoders.shed', { heights: heightsText(shed) })] : []),
  ...(leftOut.length > 0 ? [t('admin.encoders.leftOut', { heights: heightsText(leftOut) })] : []),
];

const takesText = (busy: number | null, held: number): string =>
  busy === null
    ? t('admin.encoders.cores.held', { held: coresText(held) })
    : t('admin.encoders.cores.text', { busy: coresText(busy), held: coresText(held) });

/** What makes its sound a second time holds a lease of its own. */
const heldBy = ({ videoId }: EncodedShow, leases: Budget['leases']): number =>
  leases.filter(({ name }) => name === videoId).reduce((sum, { cores }) => sum + cores, 0);

const Encoders = ({ shows, leases }: { shows: readonly EncodedShow[]; leases: Budget['leases'] }) => (
  <div class="table-wrap">
    <table>
      <thead>
        <tr>
          <th scope="col">{t('admin.encoders.broadcast')}</th>
          <th scope="col">{t('admin.encoders.made')}</th>
          <th scope="col">{t('admin.encoders.cores')}</th>
          <th scope="col">{t('admin.encoders.lag')}</th>
          <th scope="col">{t('admin.encoders.restarts')}</th>
        </tr>
      </thead>
      <tbody>
        {shows.map((show) => (
          <Encoder key={show.videoId} show={show} held={heldBy(show, leases)} />
        ))}
      </tbody>
    </table>
  </div>
);

const Encoder = ({ show, held }: { show: EncodedShow; held: number }) => {
  const { videoId, title, channel, ladder, encoding, lagMs, restarts, busyCores } = show;
  const missing = missingOf(show);
  const on = encoding.length > 0;
  return (
    <tr>
      <th scope="row">
        <a href={paths.watch(videoId)}>{title || t('admin.encoders.untitled')}</a>
        <small class="soft">
          {channel === null ? '' : `@${channel} · `}
          {ladder}
        </small>
      </th>
      <td>
        <span>{on ? heightsText(encoding) : t('admin.encoders.idle')}</span>
        {missing.map((words) => (
          <span key={words} class="badge warn">
            {words}
          </span>
        ))}
      </td>
      <td>{on ? takesText(busyCores, held) : '–'}</td>
      <td>{on ? t('admin.encoders.lag.text', { ms: decimal(language.get(), lagMs, 0) }) : '–'}</td>
      <td>{decimal(language.get(), restarts, 0)}</td>
    </tr>
  );
};
