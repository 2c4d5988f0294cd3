/** One video and what is known about it; for its owner, what can be done with it. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Video } from '../../api/types.ts';
import { askedTimes } from '../../lib/time-param.ts';
import { StateBadge } from '../../parts/badge.tsx';
import { Icon } from '../../parts/icons.tsx';
import { since } from '../../parts/since.ts';
import { Missing, Skeleton } from '../../parts/states.tsx';
import { Heading } from '../../parts/title.tsx';
import type { Playback } from '../../playback/index.ts';
import { Link } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { useLoaded, useTitle } from '../../state/use.ts';
import { t } from '../../words/index.ts';
import { Downloads } from './downloads.tsx';
import type { OwnerToolsProps } from './owner-tools.tsx';
import { ShareButton } from './share.tsx';
import { useVideo, VideoStage } from './video-stage.tsx';

export const WatchPage = ({ id }: { id: string }) => {
  const parts = useVideo(id);
  const player = useRef<Playback | null>(null);
  const [turn, setTurn] = useState(0);
  /** What was known of a video that has been removed since: the page stays, and its stage says so. */
  const known = useRef<Video | null>(null);
  const { now } = parts.record;
  if (now.is === 'here') known.current = now.value;
  const gone = now.is === 'failed' && now.problem.hidden;
  const video = now.is === 'here' ? now.value : gone ? null : known.current;
  const missing = gone && (known.current === null || parts.address.now.is !== 'here');
  const shown = video ?? known.current;
  const title = missing ? t('video.missing.title') : shown ? shown.title || t('home.untitled') : '';
  useTitle(title);
  const channelId = shown?.channelId ?? null;
  const channel = useLoaded(channelId, () => api.channel(channelId ?? ''));
  if (missing) return <Missing title={title} text={t('video.missing.text')} signIn />;
  const address = parts.address.now.is === 'here' ? parts.address.now.value : null;
  const asked = askedTimes(location.search);
  const alone = asked.in !== null || asked.out !== null;
  return (
    <main id="main">
      <div class="watch">
        <VideoStage id={id} {...parts} player={player} turn={turn} />
        {alone && (
          <div class="notice calm row">
            <span>{t('video.piece')}</span>
            {/* A new page: the piece stands in the address. */}
            <a href={paths.watch(id)}>{t('video.piece.whole')}</a>
          </div>
        )}
        <div class="page-head">
          <div>
            <Heading>{title}</Heading>
            <p class="row soft">
              {video?.state === 'live' && <StateBadge state="live" />}
              {channel.now.is === 'here' && (
                <Link to={paths.channel(channel.now.value.name)}>@{channel.now.value.name}</Link>
              )}
              {shown && <span>{since(shown.startedAt ?? shown.createdAt)}</span>}
              {video?.visibility === 'private' && (
                <span class="row">
                  <Icon name="lock" />
                  {t('video.private')}
                </span>
              )}
            </p>
          </div>
          {video && address && (
            <div class="row actions">
              <Downloads files={address.downloads ?? []} title={title} />
              <ShareButton id={id} player={player} live={address.live} alone={alone} begins={video.trim?.in ?? 0} />
            </div>
          )}
        </div>
      </div>
      {video?.ownerId !== undefined && video.state !== 'live' && address && (
        <OwnerTools
          video={video}
          player={player}
          onChanged={parts.record.replace}
          onListed={parts.address.reload}
          onCut={() => setTurn(turn + 1)}
        />
      )}
    </main>
  );
};

/** Loaded for owners only: viewers have no use for it. */
const OwnerTools = (props: OwnerToolsProps & { player: RefObject<Playback | null> }) => {
  const [tools, setTools] = useState<{ Is: (props: OwnerToolsProps) => unknown } | null>(null);
  useEffect(() => {
    let current = true;
    import('./owner-tools.tsx').then(
      ({ OwnerTools: Is }) => current && setTools({ Is }),
      () => {}, // without them the page plays as for everybody
    );
    return () => {
      current = false;
    };
  }, []);
  if (!tools) return <Skeleton lines={1} height="8rem" />;
  const Tools = tools.Is as (props: OwnerToolsProps) => preact.JSX.Element;
  return <Tools {...props} />;
};
