/** The cores that encoding may take, who holds them, and what is encoded beside the broadcasts that are on. */
import { api } from '../../api/endpoints.ts';
import type { EncodedShow, Ladders } from '../../api/types.ts';
import { Progress } from '../../parts/progress.tsx';
import { useEvery, useLoaded } from '../../state/use.ts';
import { language, t } from '../../words/index.ts';

/** Terms and what they mean, for a list of facts. */
export const Encoding = () => {
  const ladders = useLoaded('encoding', api.ladders);
  useEvery(5_000, ladders.reload);
  if (ladders.now.is !== 'here') return null;
  const { budget, shows } = ladders.now.value;
  return (
    <>
      {budget && <Cores {...budget} />}
      {shows && <Encoders shows={shows} />}
    </>
  );
};

const coresText = (cores: number): string => new Intl.NumberFormat(language.get(), { maximumFractionDigits: 2 }).format(cores);

const Cores = ({ total, leases }: NonNullable<Ladders['budget']>) => {
  const held = (rank: 'live' | 'vod'): number => leases.filter((lease) => lease.rank === rank).reduce((sum, { cores }) => sum + cores, 0);
  const [live, vod] = [held('live'), held('vod')];
  const words =
    total > 0
      ? t('admin.cores.text', { used: coresText(live + vod), total: coresText(total), live: coresText(live), vod: coresText(vod) })
      : t('admin.cores.none');
  return (
    <>
      <dt>{t('admin.cores')}</dt>
      <dd>
        <div class="used">
          <span>{words}</span>
          {total > 0 && <Progress label={t('admin.cores')} share={Math.min(1, (live + vod) / total)} words={words} still />}
        </div>
      </dd>
    </>
  );
};

const heightsText = (heights: readonly number[]): string => heights.map((height) => `${height}p`).join(', ');

const stateOf = ({ encoding, shed, leftOut, restarts, lagMs }: EncodedShow): string => {
  const said = [
    encoding.length > 0 ? t('admin.encoders.encoding', { heights: heightsText(encoding) }) : t('admin.encoders.idle'),
    ...(encoding.length > 0 ? [t('admin.encoders.lag', { ms: lagMs })] : []),
    ...(shed.length > 0 ? [t('admin.encoders.shed', { heights: heightsText(shed) })] : []),
    ...(leftOut.length > 0 ? [t('admin.encoders.leftOut', { heights: heightsText(leftOut) })] : []),
    ...(restarts > 0 ? [t('admin.encoders.restarts', { times: restarts })] : []),
  ];
  return said.join(' ');
};

const Encoders = ({ shows }: { shows: readonly EncodedShow[] }) => (
  <>
    <dt>{t('admin.encoders')}</dt>
    <dd>
      {shows.length === 0 && t('admin.encoders.none')}
      {shows.map((show) => (
        <div key={show.videoId}>
          <a href={`/watch/${show.videoId}`}>{show.title ?? t('admin.encoders.untitled')}</a>
          <small>{stateOf(show)}</small>
        </div>
      ))}
    </dd>
  </>
);
