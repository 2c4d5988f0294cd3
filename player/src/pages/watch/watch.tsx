/** One video and what is known about it; for its owner, what can be done with it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Video } from '../../api/types.ts';
import { askedGrant } from '../../api/head-start.ts';
import { withGrant } from '../../lib/link-grant.ts';
import { askedTimes } from '../../lib/time-param.ts';
import { StateBadge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Icon } from '../../parts/icons.tsx';
import { since } from '../../parts/since.ts';
import { Missing, problemText, Skeleton } from '../../parts/states.tsx';
import { Heading } from '../../parts/title.tsx';
import { isGrowing, isRising, stateText, troubleText } from '../../parts/video-state.tsx';
import type { Playback } from '../../playback/index.ts';
import { Link } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { useLoaded, useTitle } from '../../state/use.ts';
import { t } from '../../words/index.ts';
import { isByLink } from '../channel-live.ts';
import { ChapterList } from './chapter-list.tsx';
import { Downloads } from './downloads.tsx';
import { useOwnerCode } from './for-owner.ts';
import { ShareButton } from './share.tsx';
import { plays, useVideo } from './use-video.ts';
import { VideoStage } from './video-stage.tsx';

/** Counts up when something else is to be played than before; `at`: where it goes on, in seconds. */
type Turn = { readonly count: number; readonly at: number | null };

/** What is played was opened while its better qualities were being made, and they are there now: players learn of them by opening it again. */
const useBetter = (video: Video | null, playing: boolean): { better: boolean; taken: () => void } => {
  const rising = video !== null && isRising(video);
  const [low, setLow] = useState(false);
  useEffect(() => {
    if (playing && rising) setLow(true);
  }, [playing, rising]);
  return { better: low && video?.state === 'ready', taken: () => setLow(false) };
};

export const WatchPage = ({ id }: { id: string }) => {
  const parts = useVideo(id);
  const player = useRef<Playback | null>(null);
  const [turn, setTurn] = useState<Turn>({ count: 0, at: null });
  /** What was known of a video that has been removed since: the page stays, and its stage says so. */
  const known = useRef<Video | null>(null);
  const { now } = parts.record;
  if (parts.video) known.current = parts.video;
  const gone = now.is === 'failed' && now.problem.hidden;
  const video = parts.video ?? (gone ? null : known.current);
  const missing = gone && (known.current === null || parts.address.now.is !== 'here');
  const shown = video ?? known.current;
  /** By a link that does not open. */
  const refused = now.is === 'failed' && now.problem.status === 403 ? now.problem : null;
  const title = missing ? t(refused ? 'links.closed' : 'video.missing.title') : shown ? shown.title || t('home.untitled') : '';
  useTitle(title);
  const { better, taken } = useBetter(video, parts.address.now.is === 'here');
  const trouble = video && troubleText(video);
  const own = video?.ownerId !== undefined;
  const ownerCode = useOwnerCode(own);
  const channelId = shown?.channelId ?? null;
  const channel = useLoaded(channelId, () => api.channel(channelId ?? '', askedGrant()));
  if (missing) return <Missing title={title} text={refused ? problemText(refused) : t('video.missing.text')} signIn />;
  const address = parts.address.now.is === 'here' ? parts.address.now.value : null;
  const playBetter = (): void => {
    taken();
    setTurn({ count: turn.count + 1, at: player.current?.showTime() ?? null });
  };
  const asked = askedTimes(location.search);
  const alone = asked.in !== null || asked.out !== null;
  return (
    <main id="main">
      <div class="watch">
        <VideoStage id={id} {...parts} player={player} turn={turn.count} from={turn.at} />
        {better && (
          <div class="notice calm row" role="status">
            <span>{t('video.better')}</span>
            <Button slim onPress={playBetter}>
              {t('video.better.do')}
            </Button>
          </div>
        )}
        {alone && (
          <div class="notice calm row">
            <span>{t('video.piece')}</span>
            {/* A new page: the piece stands in the address. */}
            <a href={withGrant(paths.watch(id), askedGrant())}>{t('video.piece.whole')}</a>
          </div>
        )}
        <div class="page-head">
          <div>
            <Heading>{title}</Heading>
            <p class="row soft">
              {video?.state === 'live' && <StateBadge state="live" />}
              {channel.now.is === 'here' && (
                <Link to={withGrant(paths.channel(channel.now.value.name), isByLink(channel.now.value) ? askedGrant() : undefined)}>@{channel.now.value.name}</Link>
              )}
              {shown && <span>{since(shown.startedAt ?? shown.createdAt)}</span>}
              {video && (isGrowing(video) || isRising(video)) && <span>{stateText(video)}</span>}
              {own && video?.visibility === 'private' && (
                <span class="row">
                  <Icon name="lock" />
                  {t('video.private')}
                </span>
              )}
            </p>
          </div>
          {video && (
            <div class="row actions">
              {address && <Downloads files={address.downloads ?? []} title={title} />}
              {address && (
                <ShareButton id={id} player={player} live={address.live} alone={alone} begins={video.trim?.in ?? 0} />
              )}
              {ownerCode && <ownerCode.OwnerActions video={video} onChanged={parts.record.replace} />}
            </div>
          )}
        </div>
        {video && own && video.state === 'playable' && trouble !== null && <p class="notice warn">{trouble}</p>}
        {shown?.description && <p class="description">{shown.description}</p>}
        {shown?.chapters && <ChapterList id={id} chapters={shown.chapters} cut={shown.trim?.in ?? 0} player={player} />}
      </div>
      {/* What is still growing has no end yet that one could cut, and no length for captions. */}
      {video && own && (isGrowing(video) || video.state === 'uploading' || video.state === 'processing') && <p class="soft">{t('owner.later')}</p>}
      {video && own && video.state !== 'live' && !isGrowing(video) && plays(video) && address && (
        <>
          {ownerCode ? (
            <ownerCode.OwnerTools
              video={video}
              player={player}
              onChanged={parts.record.replace}
              onListed={parts.address.reload}
              onMade={parts.record.reload}
              onCut={() => setTurn({ count: turn.count + 1, at: null })}
            />
          ) : (
            <Skeleton lines={1} height="8rem" />
          )}
        </>
      )}
    </main>
  );
};
