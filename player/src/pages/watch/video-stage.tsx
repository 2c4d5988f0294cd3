/** The stage of one video: it waits while the video is prepared, then plays it; a show becomes its own recording. */
import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { api, onThisHost } from '../../api/endpoints.ts';
import { askedGrant, askedPiece } from '../../api/head-start.ts';
import { ApiProblem } from '../../api/problem.ts';
import { askedTimes } from '../../lib/time-param.ts';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { usePictures, useSteady } from '../../parts/use-pictures.ts';
import { isGrowing } from '../../parts/video-state.tsx';
import type { Playback, PlaybackState } from '../../playback/index.ts';
import { StageWords } from '../../stage/over.tsx';
import { Stage } from '../../stage/stage.tsx';
import { useLoaded } from '../../state/use.ts';
import { t } from '../../words/index.ts';
import { useChannelNow } from '../channel-live.ts';
import { WaitingWords } from '../live-stage.tsx';
import { isAboutScreens, Screens } from '../screens.tsx';
import { useWhyRefused } from '../why-refused.ts';
import { ArrivingWords } from './arriving.tsx';
import { plays } from './use-video.ts';
import type { VideoParts } from './use-video.ts';

/** All that has come of it has been played. */
const atTheEnd = (player: Playback | null): boolean => {
  const moment = player?.moment();
  return moment !== null && moment !== undefined && moment.window.to - moment.at < 2;
};

type Props = VideoParts & {
  id: string;
  fill?: boolean;
  player?: RefObject<Playback | null>;
  /** Counts up when the owner has changed what is played. */
  turn?: number;
  /** Where it goes on then, in seconds; null: at its beginning. */
  from?: number | null;
};

export const VideoStage = ({ id, record, address, video, fill, player, turn, from }: Props) => {
  const own = useRef<Playback | null>(null);
  const playing = player ?? own;
  const [picture, setPicture] = useState<PlaybackState['is']>('loading');
  /** Only the first viewing begins where the address says; the recording of a show begins at its beginning. */
  const [start, setStart] = useState(() => askedTimes(location.search).start);
  const channelId = video?.state === 'live' ? video.channelId : null;
  const channel = useLoaded(channelId, () => api.channel(channelId ?? '', askedGrant()));
  // While it is live, only its channel knows whether the host has gone.
  const show = useChannelNow(channel.now.is === 'here' ? channel.now.value.name : null, null);
  const stands = picture !== 'playing' && picture !== 'paused';
  const words = () => {
    if (address.now.is === 'here') {
      // Removed while it was watched: what is buffered runs out first.
      if (record.now.is === 'failed' && record.now.problem.status === 404 && stands)
        return <StageWords title={t('video.removed.title')} text={t('video.removed.text')} water={id} />;
      const alone = show?.state === 'waiting' && show.videoId === id && picture === 'stalled';
      if (alone) return <WaitingWords until={show.until ?? null} voice="viewer" water={undefined} />;
      return video && isGrowing(video) && picture === 'stalled' && atTheEnd(playing.current) ? (
        <StageWords title={t('video.growing.title')} text={t('video.growing.text')} pass>
          <div class="wheel" />
        </StageWords>
      ) : undefined;
    }
    if (record.now.is === 'failed') {
      const { hidden } = record.now.problem;
      return (
        <StageWords
          title={hidden ? t('video.missing.title') : t('player.error')}
          text={hidden && record.now.problem.status !== 403 ? t('video.missing.text') : problemText(record.now.problem)}
          water={id}
        />
      );
    }
    if (video && !plays(video)) return <ArrivingWords video={video} />;
    if (address.now.is === 'failed' && isAboutScreens(address.now.problem)) {
      const { problem } = address.now;
      return <Screens key={problem.code} problem={problem} byLink={askedGrant() !== undefined} water={id} onFree={address.reload} onHere={here} />;
    }
    if (address.now.is === 'failed' && video)
      return <StageWords title={t('player.error')} text={problemText(address.now.problem)} water={id} />;
    return undefined;
  };
  const playback = address.now.is === 'here' ? address.now.value : null;
  /** It was stopped from elsewhere, and is to go on here. */
  const here = async (): Promise<void> => address.replace(await api.playVideo(id, { ...askedPiece(), restart: true }));
  const { pictures, failed } = usePictures(id, video?.pictures ?? null);
  const poster = useSteady(pictures?.poster ?? null);
  const whyRefused = useWhyRefused(address.reload);
  const restart = async (): Promise<void> => {
    try {
      const now = await api.playVideo(id, askedPiece());
      setStart(null);
      // The list that is being played may be the whole already; then its beginning is near enough.
      if (now.live) playing.current?.startOver();
      else address.replace(now);
    } catch (error) {
      toast(problemText(ApiProblem.from(error)));
    }
  };
  return (
    <Stage
      source={playback?.hls ?? null}
      live={playback?.live ?? false}
      title={video?.title ?? ''}
      water={id}
      poster={poster && onThisHost(poster)}
      storyboard={pictures?.storyboard ?? null}
      onStoryboardFailed={failed}
      {...(video?.chapters ? { chapters: video.chapters } : {})}
      cut={video?.trim?.in ?? 0}
      start={(turn ?? 0) > 0 ? (from ?? null) : start}
      turn={turn ?? 0}
      fill={fill ?? false}
      player={playing}
      onState={(state) => {
        const { is } = state;
        setPicture(is);
        whyRefused(state);
        if (is === 'ended' && video?.state === 'live') record.reload();
      }}
      onLiveEnd={record.reload}
      onMissing={record.reload}
      onRestart={() => void restart()}
      renew={address.reload}
    >
      {words()}
    </Stage>
  );
};
