/** A channel: what is live on it, changing by itself, and its replays below. */
import { useEffect } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import { askedGrant, take } from '../api/head-start.ts';
import type { Video } from '../api/types.ts';
import { StateBadge } from '../parts/badge.tsx';
import { Icon } from '../parts/icons.tsx';
import { since } from '../parts/since.ts';
import { Failed, Missing, problemText, Skeleton, SkeletonTiles } from '../parts/states.tsx';
import { VideoTile, viewersText } from '../parts/tiles.tsx';
import { Heading } from '../parts/title.tsx';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { useAgain, useLoaded, useTitle } from '../state/use.ts';
import { t } from '../words/index.ts';
import { isByLink, useChannelNow } from './channel-live.ts';
import { LiveStage } from './live-stage.tsx';

export const ChannelPage = ({ name }: { name: string }) => {
  const record = useLoaded(`@${name}`, () => take(`channel @${name}`, () => api.channel(`@${name}`, askedGrant())));
  const channel = record.now.is === 'here' ? record.now.value : null;
  const missing = record.now.is === 'failed' && record.now.problem.hidden;
  const now = useChannelNow(missing ? null : name, channel);
  // A link opens what is live and what follows: what was before is not listed for it.
  const byLink = channel !== null && isByLink(channel);
  const replays = useLoaded(channel && !byLink ? `${channel.id} ${now?.state === 'ended' || now?.state === 'offline'}` : null, () =>
    api.channelVideos(channel?.id ?? ''),
  );
  const title = now?.title || channel?.title || `@${name}`;
  useTitle(title);
  useAgain(30_000); // "started 5 minutes ago" grows old
  useEffect(() => {
    // A recording is there the moment the show ends; its title and length settle a little later.
    if (now?.state !== 'ended') return;
    const timer = setTimeout(replays.reload, 3_000);
    return () => clearTimeout(timer);
  }, [now?.state]);

  if (missing && record.now.is === 'failed') {
    // By a link that does not open.
    const refused = record.now.problem.status === 403;
    const words = refused ? problemText(record.now.problem) : t('channel.missing.text');
    return <Missing title={t(refused ? 'links.closed' : 'channel.missing.title')} text={words} />;
  }
  return (
    <main id="main">
      <div class="watch">
        {now ? <LiveStage name={name} now={now} /> : <div class="stage" />}
        {record.now.is === 'failed' && <Failed problem={record.now.problem} onRetry={record.reload} />}
        <div class="page-head">
          <div>
            <Heading>{title}</Heading>
            <p class="row soft">
              {now && <StateBadge state={now.state} />}
              <span>@{name}</span>
              {now?.state === 'live' && now.viewers > 0 && <span>{viewersText(now.viewers)}</span>}
              {now?.state === 'live' && now.startedAt !== null && (
                <span>{t('live.since', { ago: since(now.startedAt) })}</span>
              )}
            </p>
          </div>
          {/* Only whoever may broadcast here is told where to send to. */}
          {channel?.ingest && (
            <Link class="button" to={paths.studioChannel(channel.id)}>
              <Icon name="gear" />
              {t('frame.studio')}
            </Link>
          )}
        </div>
      </div>
      {!byLink && (
        <section class="section" aria-labelledby="replays">
          <h2 id="replays">{t('channel.replays')}</h2>
          {replays.now.is === 'loading' && (record.now.is === 'failed' ? <Skeleton lines={1} /> : <SkeletonTiles />)}
          {replays.now.is === 'failed' && <Failed problem={replays.now.problem} onRetry={replays.reload} />}
          {replays.now.is === 'here' && (
            <Replays videos={replays.now.value.items.filter((video) => video.state !== 'live')} />
          )}
        </section>
      )}
    </main>
  );
};

const Replays = ({ videos }: { videos: readonly Video[] }) =>
  videos.length === 0 ? (
    <p class="soft">{t('channel.replays.empty')}</p>
  ) : (
    <ul class="tiles">
      {videos.map((video) => (
        <VideoTile key={video.id} video={video} />
      ))}
    </ul>
  );
