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

/** To whom the stage speaks: a viewer's page, or the studio of the host. */
type Voice = 'viewer' | 'host';

type SpokenProps = { voice: Voice; water: string | undefined };

export const WaitingWords = ({ until, voice, water }: SpokenProps & { until: number | null }) => {
  const seconds = useSecondsUntil(until);
  return (
    <StageWords
      title={t(`stage.${voice}.waiting.title`)}
      text={t(`stage.${voice}.waiting.text`)}
      {...(water === undefined ? {} : { water })}
    >
      {/* Counted for the eye only: read out each second it would drown everything else. */}
      {seconds !== null && <p aria-hidden="true">{tCount(`stage.${voice}.waiting.left`, seconds)}</p>}
    </StageWords>
  );
};

type LiveStageProps = {
  name: string;
  now: ChannelNow;
  muted?: boolean;
  fill?: boolean;
  voice?: Voice;
};

export const LiveStage = ({ name, now, muted, fill, voice = 'viewer' }: LiveStageProps) => {
  const { source, problem, renew } = useLiveSource(now);
  const [playback, setPlayback] = useState<PlaybackState>({ is: 'loading' });
  const over = source ? {} : { water: name };
  // What is in the buffer still plays after the host is gone, and after the end: words wait until the picture stands.
  const running = source !== null && (playback.is === 'playing' || playback.is === 'paused');

  const words = () => {
    if (problem) return <StageWords title={t('player.error')} text={problemText(problem)} {...over} />;
    switch (now.state) {
      case 'offline':
        if (source) return running ? undefined : <Ended video={source.video} voice={voice} water={undefined} />;
        return <StageWords title={t(`stage.${voice}.offline.title`)} text={t(`stage.${voice}.offline.text`)} {...over} />;
      case 'starting':
        return (
          <StageWords title={t(`stage.${voice}.starting.title`)} text={t(`stage.${voice}.starting.text`)} {...over}>
            <div class="wheel" />
          </StageWords>
        );
      case 'live':
        return source ? undefined : (
          <StageWords title={t('player.loading')} {...over}>
            <div class="wheel" />
          </StageWords>
        );
      case 'waiting':
        return running ? undefined : <WaitingWords until={now.until ?? null} voice={voice} water={over.water} />;
      case 'ended':
        return running ? undefined : <Ended video={now.videoId ?? source?.video ?? null} voice={voice} water={over.water} />;
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

const Ended = ({ video, voice, water }: SpokenProps & { video: string | null }) => (
  <StageWords
    title={t(`stage.${voice}.ended.title`)}
    text={t(`stage.${voice}.ended.text`)}
    {...(water === undefined ? {} : { water })}
  >
    {video !== null && (
      <Link class="button primary" to={paths.watch(video)}>
        {t('live.ended.replay')}
      </Link>
    )}
  </StageWords>
);
