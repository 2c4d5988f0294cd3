/** The stage of one video: it waits while the video is prepared, then plays it; a show becomes its own recording. */
import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { askedPiece, take } from '../../api/head-start.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { PlaybackAddress, Video } from '../../api/types.ts';
import { askedTimes } from '../../lib/time-param.ts';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import type { Playback, PlaybackState } from '../../playback/index.ts';
import { StageWords } from '../../stage/over.tsx';
import { Stage } from '../../stage/stage.tsx';
import { useEvery, useLoaded } from '../../state/use.ts';
import type { Loading } from '../../state/use.ts';
import { t } from '../../words/index.ts';
import { useChannelNow } from '../channel-live.ts';
import { WaitingWords } from '../live-stage.tsx';

export const plays = (video: Video): boolean =>
  video.state === 'live' || video.state === 'playable' || video.state === 'ready';

/** The record and the playlist are asked for together: the first picture does not wait for the title. */
export const useVideo = (id: string): { record: Loading<Video>; address: Loading<PlaybackAddress> } => {
  const record = useLoaded(id, () => take(`video ${id}`, () => api.video(id)));
  const address = useLoaded(id, () => take(`play ${id}`, () => api.playVideo(id, askedPiece())));
  useEvery(4_000, () => {
    if (record.now.is !== 'here') return;
    const { state } = record.now.value;
    const settled = address.now.is === 'here' || state === 'failed';
    if (settled) return;
    record.reload();
    if (plays(record.now.value)) address.reload();
  });
  useEvery(15_000, () => {
    // A show ends while it is watched: its record says so, and the address stays what is being played.
    if (record.now.is === 'here' && record.now.value.state === 'live') record.reload();
  });
  return { record, address };
};

type Props = ReturnType<typeof useVideo> & {
  id: string;
  fill?: boolean;
  player?: RefObject<Playback | null>;
  /** Counts up when the owner has changed what is played. */
  turn?: number;
};

export const VideoStage = ({ id, record, address, fill, player, turn }: Props) => {
  const own = useRef<Playback | null>(null);
  const playing = player ?? own;
  const video = record.now.is === 'here' ? record.now.value : null;
  const [picture, setPicture] = useState<PlaybackState['is']>('loading');
  /** Only the first viewing begins where the address says; the recording of a show begins at its beginning. */
  const [start, setStart] = useState(() => askedTimes(location.search).start);
  const channelId = video?.state === 'live' ? video.channelId : null;
  const channel = useLoaded(channelId, () => api.channel(channelId ?? ''));
  // While it is live, only its channel knows whether the host has gone.
  const show = useChannelNow(channel.now.is === 'here' ? channel.now.value.name : null, null);
  const stands = picture !== 'playing' && picture !== 'paused';
  const words = () => {
    if (address.now.is === 'here') {
      // Removed while it was watched: what is buffered runs out first.
      if (record.now.is === 'failed' && record.now.problem.status === 404 && stands)
        return <StageWords title={t('video.removed.title')} text={t('video.removed.text')} water={id} />;
      const alone = show?.state === 'waiting' && show.videoId === id && picture === 'stalled';
      return alone ? <WaitingWords until={show.until ?? null} voice="viewer" water={undefined} /> : undefined;
    }
    if (record.now.is === 'failed') {
      const { hidden } = record.now.problem;
      return (
        <StageWords
          title={hidden ? t('video.missing.title') : t('player.error')}
          text={hidden ? t('video.missing.text') : problemText(record.now.problem)}
          water={id}
        />
      );
    }
    if (video?.state === 'failed')
      return <StageWords title={t('video.failed.title')} text={t('video.failed.text')} water={id} />;
    if (video && !plays(video))
      return <StageWords title={t('video.notYet.title')} text={t('video.notYet.text')} water={id} />;
    if (address.now.is === 'failed' && video)
      return <StageWords title={t('player.error')} text={problemText(address.now.problem)} water={id} />;
    return undefined;
  };
  const playback = address.now.is === 'here' ? address.now.value : null;
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
      start={(turn ?? 0) > 0 ? null : start}
      turn={turn ?? 0}
      fill={fill ?? false}
      player={playing}
      onState={({ is }) => {
        setPicture(is);
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
