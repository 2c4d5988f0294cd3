/** The stage of a channel: the picture while it runs, words for each state in which there is none. */
import { useEffect, useState } from 'preact/hooks';
import type { ChannelNow } from '../api/follow.ts';
import { problemText } from '../parts/states.tsx';
import type { PlaybackState } from '../playback/index.ts';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { StageWords } from '../stage/over.tsx';
import { Stage } from '../stage/stage.tsx';
import { t, tCount } from '../words/index.ts';
import { useLiveSource } from './channel-live.ts';

/** Null when the clocks of server and browser differ too much for a countdown to mean anything. */
const useSecondsUntil = (until: number | null): number | null => {
  const [clock, setClock] = useState(Date.now());
  useEffect(() => {
    if (until === null) return;
    setClock(Date.now());
    const timer = setInterval(() => setClock(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  if (until === null) return null;
  const seconds = Math.ceil((until - clock) / 1000);
  return seconds > 0 && seconds <= 3600 ? seconds : null;
};

const WaitingWords = ({ until, water }: { until: number | null; water: string | undefined }) => {
  const seconds = useSecondsUntil(until);
  return (
    <StageWords
      title={t('live.waiting.title')}
      text={t('live.waiting.text')}
      {...(water === undefined ? {} : { water })}
    >
      {/* Counted for the eye only: read out each second it would drown everything else. */}
      {seconds !== null && <p aria-hidden="true">{tCount('live.waiting.left', seconds)}</p>}
    </StageWords>
  );
};

type LiveStageProps = {
  name: string;
  now: ChannelNow;
  muted?: boolean;
  fill?: boolean;
  /** The studio has other words for "nothing yet" than a viewer's page. */
  offline?: { title: string; text: string };
};

export const LiveStage = ({ name, now, muted, fill, offline }: LiveStageProps) => {
  const { source, problem, renew } = useLiveSource(now);
  const [playback, setPlayback] = useState<PlaybackState>({ is: 'loading' });
  const over = source ? {} : { water: name };
  // What is in the buffer still plays after the host is gone, and after the end: words wait until the picture stands.
  const running = source !== null && (playback.is === 'playing' || playback.is === 'paused');

  const words = () => {
    if (problem) return <StageWords title={t('player.error')} text={problemText(problem)} {...over} />;
    switch (now.state) {
      case 'offline':
        if (source) return running ? undefined : <Ended video={source.video} water={undefined} />;
        return (
          <StageWords
            title={offline?.title ?? t('live.offline.title')}
            text={offline?.text ?? t('live.offline.text')}
            {...over}
          />
        );
      case 'starting':
        return (
          <StageWords title={t('live.starting.title')} text={t('live.starting.text')} {...over}>
            <div class="wheel" />
          </StageWords>
        );
      case 'live':
        return source ? undefined : (
          <StageWords title={t('live.starting.title')} text={t('live.starting.text')} {...over} />
        );
      case 'waiting':
        return running ? undefined : <WaitingWords until={now.until ?? null} water={over.water} />;
      case 'ended':
        return running ? undefined : <Ended video={now.videoId ?? source?.video ?? null} water={over.water} />;
    }
  };
  return (
    <Stage
      source={source?.hls ?? null}
      live
      title={now.title}
      muted={muted ?? false}
      fill={fill ?? false}
      onState={setPlayback}
      renew={renew}
    >
      {words()}
    </Stage>
  );
};

const Ended = ({ video, water }: { video: string | null; water: string | undefined }) => (
  <StageWords title={t('live.ended.title')} text={t('live.ended.text')} {...(water === undefined ? {} : { water })}>
    {video !== null && (
      <Link class="button primary" to={paths.watch(video)}>
        {t('live.ended.replay')}
      </Link>
    )}
  </StageWords>
);
