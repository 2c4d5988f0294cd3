/** The one <video> of a page with its controls. The engine does the playing; this shows what it says. */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Chapter } from '../api/types.ts';
import { Water } from '../parts/cover.tsx';
import { Icon } from '../parts/icons.tsx';
import { createPlayback } from '../playback/index.ts';
import type { Playback, PlaybackState } from '../playback/index.ts';
import { language, t } from '../words/index.ts';
import { ControlBar } from './control-bar.tsx';
import { PlaybackOver } from './over.tsx';
import { hasChoices, SettingsMenu } from './settings-menu.tsx';
import { TimeBar } from './time-bar.tsx';
import { useKeys } from './use-keys.ts';

export type StageProps = {
  /** The playlist; null while there is none, and the stage shows `children` alone. */
  source: string | null;
  /** The show was on when this viewing began. Its end does not change the source: the viewing runs out. */
  live: boolean;
  title: string;
  /** What the water is drawn from where there is no picture. */
  water?: string;
  /** Counts up where the same address has come to mean something else. */
  turn?: number;
  /** Where to begin, in seconds. */
  start?: number | null;
  muted?: boolean;
  fill?: boolean;
  /** Stands there until there is a picture. */
  poster?: string | null;
  /** Small pictures for whoever looks for a place on the bar. */
  storyboard?: string | null;
  /** It, or an image of it, could not be loaded: its address may have run out. */
  onStoryboardFailed?: (address: string) => void;
  chapters?: readonly Chapter[];
  /** Seconds that are cut away in front: pictures and chapters count from behind them. */
  cut?: number;
  onState?: (state: PlaybackState) => void;
  onLiveEnd?: () => void;
  /** The server has no such media any more: the page may know why. */
  onMissing?: () => void;
  /** Plays the whole recording of what was live, from its beginning. */
  onRestart?: () => void;
  /** Brings a new address where the old one was refused: a grant may have expired. */
  renew?: () => void;
  /** For tools beside the picture that need its place. */
  player?: RefObject<Playback | null>;
  /** Words over the picture, instead of the player's own. */
  children?: ComponentChildren;
};

type Picture = Omit<StageProps, 'fill'> & {
  source: string;
  stage: RefObject<HTMLDivElement | null>;
  /** Width to height, as it is shown: a rotated picture counts as it lies. */
  onShape: (shape: number) => void;
};

const SoundOnly = ({ water }: { water: string }) => (
  <div class="over sound-only">
    <div class="backdrop">
      <Water name={water} />
    </div>
    <p class="words">
      <Icon name="sound" />
      {t('player.soundOnly')}
    </p>
  </div>
);

const noteFor = 6_000;
const none: readonly Chapter[] = [];

const PictureAndControls = ({ source, live, title, water = title, turn, muted, start, poster, storyboard, onStoryboardFailed, chapters = none, cut = 0, children, stage, player, onShape, ...page }: Picture) => {
  const video = useRef<HTMLVideoElement>(null);
  const own = useRef<Playback | null>(null);
  const playback = player ?? own;
  const [state, setState] = useState<PlaybackState>({ is: 'loading' });
  const [soundBlocked, setSoundBlocked] = useState(false);
  const [going, setGoing] = useState(live);
  const [menuOpen, setMenuOpen] = useState(false);
  const [soundOnly, setSoundOnly] = useState(false);
  const [note, setNote] = useState<string | null>(null);
  const [, again] = useReducer((count: number, step: number) => count + step, 0);
  const tell = useRef(page);
  tell.current = page;

  useLayoutEffect(() => {
    if (!video.current) return;
    setGoing(live);
    setMenuOpen(false);
    const mine = createPlayback(video.current, {
      source,
      live,
      muted: muted ?? false,
      start: start ?? null,
      fresh: (turn ?? 0) > 0,
      onState(next) {
        setState(next);
        tell.current.onState?.(next);
      },
      onSoundBlocked: setSoundBlocked,
      onLiveEnd() {
        setGoing(false);
        tell.current.onLiveEnd?.();
      },
      onFellOut: () => setNote(t('player.fellOut')),
      onMissing: () => tell.current.onMissing?.(),
      onTracks: () => again(1),
    });
    playback.current = mine;
    // After the engine, so that the picture's bytes are asked for first. Without controls the picture still plays.
    void import('./chrome.ts').catch(() => {});
    return () => {
      mine.destroy();
      playback.current = null;
    };
  }, [source, live, turn]);
  useEffect(() => {
    if (note === null) return;
    const timer = setTimeout(() => setNote(null), noteFor);
    return () => clearTimeout(timer);
  }, [note]);
  useKeys(stage, video, playback);

  const { onRestart, renew } = page;
  const play = (): void => void video.current?.play().catch(() => {}); // refused: the paused state already says so
  const retry = (): void => {
    playback.current?.retry();
    renew?.();
  };
  const withSound = (): void => {
    if (!video.current) return;
    video.current.muted = false;
    play();
  };
  const restart = live && !going ? onRestart : undefined;
  const captions = playback.current?.captions;
  return (
    <>
      {soundOnly && <SoundOnly water={water} />}
      <media-controller lang={language.get()} nohotkeys noautoseektolive fullscreenelement="stage">
        <video
          ref={video}
          slot="media"
          playsInline
          {...(poster ? { poster } : {})}
          aria-label={t('player.label', { title })}
          data-state={state.is}
          onLoadedData={({ currentTarget: { videoWidth } }) => setSoundOnly(videoWidth === 0)}
          onResize={({ currentTarget: { videoWidth, videoHeight } }) => {
            if (videoWidth === 0 || videoHeight === 0) return;
            setSoundOnly(false);
            onShape(videoWidth / videoHeight);
          }}
        />
        {/* Without a picture there is nothing that they would hide. */}
        <div class="controls" {...(soundOnly ? { noautohide: '' } : {})}>
          <TimeBar playback={playback} storyboard={storyboard ?? null} onStoryboardFailed={onStoryboardFailed} chapters={chapters} cut={cut} />
          {/* The controls take their labels once: another language needs other controls. The video stays. */}
          <ControlBar
            key={`bar ${language.get()}`}
            playback={playback}
            live={going}
            captions={captions && captions.choices().length > 0 ? captions.shown() !== null : null}
            settings={!going || (playback.current !== null && hasChoices(playback.current))}
            menuOpen={menuOpen}
            onMenu={setMenuOpen}
            onStartOver={live ? (restart ?? (() => playback.current?.startOver())) : null}
          />
        </div>
      </media-controller>
      {children ?? (
        <PlaybackOver state={state} playback={playback.current} onPlay={restart ?? play} onRetry={retry} />
      )}
      {note !== null && (
        <p class="stage-note" role="status">
          {note}
        </p>
      )}
      <SettingsMenu playback={playback} video={video} live={going} open={menuOpen} onOpen={setMenuOpen} />
      {soundBlocked && (
        <button type="button" class="button sound" onClick={withSound}>
          <Icon name="sound" />
          {t('player.sound')}
        </button>
      )}
    </>
  );
};

export const Stage = ({ fill, source, ...rest }: StageProps) => {
  const stage = useRef<HTMLDivElement>(null);
  const [shape, setShape] = useState<number | null>(null);
  // What is much taller than wide, or much wider than tall, keeps bars: a stage must hold its controls.
  const style = shape === null || source === null ? {} : { '--shape': Math.min(2.4, Math.max(0.5, shape)).toFixed(4) };
  return (
    <div id="stage" class={`stage ${fill ? 'fill' : ''} ${source === null ? 'wordy' : ''}`} ref={stage} style={style}>
      {source === null ? (
        rest.children
      ) : (
        <PictureAndControls source={source} stage={stage} onShape={setShape} {...rest} />
      )}
    </div>
  );
};
