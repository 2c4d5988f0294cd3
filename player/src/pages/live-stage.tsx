/** The stage of a channel: the picture while it runs, words for each state in which there is none. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import type { ChannelNow } from '../api/follow.ts';
import { askedGrant, askedLink } from '../api/head-start.ts';
import { ApiProblem } from '../api/problem.ts';
import { withGrant } from '../lib/link-grant.ts';
import { Button } from '../parts/button.tsx';
import { problemText } from '../parts/states.tsx';
import { toast } from '../parts/toasts.tsx';
import type { PlaybackState } from '../playback/index.ts';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { StageWords } from '../stage/over.tsx';
import { Stage } from '../stage/stage.tsx';
import { t, tCount } from '../words/index.ts';
import { useLiveSource } from './channel-live.ts';
import type { Source } from './channel-live.ts';
import { isAboutScreens, Screens } from './screens.tsx';
import { useWhyRefused } from './why-refused.ts';

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
      pass
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
  const [playback, setPlayback] = useState<PlaybackState>({ is: 'loading' });
  /** The show of this source has ended; what is left of it may still be playing. */
  const [endedHls, setEndedHls] = useState<string | null>(null);
  /** Its recording, watched from the beginning on this same page. */
  const [replay, setReplay] = useState<Source | null>(null);
  const [away, setAway] = useState(false);
  /** It was to be watched, and too many watch. */
  const [crowded, setCrowded] = useState<{ readonly video: string; readonly problem: ApiProblem } | null>(null);
  const { source, problem, renew, here } = useLiveSource(now, away);
  const over = source ? {} : { water: name };
  // What is in the buffer still plays after the host is gone, and after the end: words wait until the picture stands.
  const running = source !== null && (playback.is === 'playing' || playback.is === 'paused');
  const busy = replay !== null || crowded !== null || (running && source.hls === endedHls);
  useEffect(() => setAway(busy), [busy]);

  const replayHere = async (video: string, how: { restart?: boolean } = {}): Promise<void> => {
    const { hls } = await api.playVideo(video, { ...askedLink(), ...how });
    setCrowded(null);
    setReplay({ video, hls });
  };
  const restart = (video: string): Promise<void> =>
    replayHere(video).catch((error: unknown) => {
      const failure = ApiProblem.from(error);
      if (isAboutScreens(failure)) setCrowded({ video, problem: failure });
      else toast(problemText(failure));
    });
  const again = replay ? () => void restart(replay.video) : renew;
  const whyRefused = useWhyRefused(again);
  const words = () => {
    const screens = (why: ApiProblem, onFree: () => void, onHere: () => Promise<void>) => (
      <Screens key={why.code} problem={why} byLink={askedGrant() !== undefined} water={name} onFree={onFree} onHere={onHere} />
    );
    if (crowded) {
      const { video } = crowded;
      return screens(crowded.problem, () => void restart(video), () => replayHere(video, { restart: true }));
    }
    if (busy) return undefined;
    if (problem && isAboutScreens(problem)) return screens(problem, renew, here);
    if (problem) return <StageWords title={t('player.error')} text={problemText(problem)} {...over} />;
    const ended = (video: string | null) => (
      <Ended video={video} voice={voice} water={over.water} onRestart={source && video !== null ? () => void restart(video) : null} />
    );
    switch (now.state) {
      case 'offline':
        if (source) return running ? undefined : ended(source.video);
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
        return running ? undefined : ended(now.videoId ?? source?.video ?? null);
    }
  };
  const shown = crowded ? null : (replay ?? source);
  const next = busy && now.state === 'live' && now.videoId !== (crowded ?? shown)?.video;
  return (
    <>
      <Stage
        source={shown?.hls ?? null}
        live={replay === null}
        title={now.title}
        muted={muted ?? false}
        fill={fill ?? false}
        onState={(state) => {
          setPlayback(state);
          whyRefused(state);
        }}
        onLiveEnd={() => setEndedHls(source?.hls ?? null)}
        renew={again}
        {...(source ? { onRestart: () => void restart(source.video) } : {})}
      >
        {words()}
      </Stage>
      {next && (
        <div class="notice warn row" role="status">
          <span>{t('live.next')}</span>
          <Button
            slim
            onPress={() => {
              setReplay(null);
              setCrowded(null);
              setEndedHls(null);
            }}
          >
            {t('live.next.watch')}
          </Button>
        </div>
      )}
    </>
  );
};

type EndedProps = SpokenProps & { video: string | null; onRestart: (() => void) | null };

const Ended = ({ video, voice, water, onRestart }: EndedProps) => (
  <StageWords
    title={t(`stage.${voice}.ended.title`)}
    text={t(`stage.${voice}.ended.text`)}
    pass
    {...(water === undefined ? {} : { water })}
  >
    {video !== null && (
      <div class="row">
        {onRestart && (
          <Button look="primary" onPress={onRestart}>
            {t('live.ended.restart')}
          </Button>
        )}
        <Link class={onRestart ? 'button' : 'button primary'} to={withGrant(paths.watch(video), askedGrant())}>
          {t('live.ended.replay')}
        </Link>
      </div>
    )}
  </StageWords>
);
