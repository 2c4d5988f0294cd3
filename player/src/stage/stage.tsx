/** The one <video> of a page with its controls. The engine does the playing; this shows what it says. */
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../parts/icons.tsx';
import { createPlayback } from '../playback/index.ts';
import type { Playback, PlaybackState } from '../playback/index.ts';
import { language, t } from '../words/index.ts';
import { LiveEdge } from './live-edge.tsx';
import { PlaybackOver } from './over.tsx';
import { useKeys } from './use-keys.ts';

export type StageProps = {
  /** The playlist; null while there is none, and the stage shows `children` alone. */
  source: string | null;
  live: boolean;
  title: string;
  muted?: boolean;
  fill?: boolean;
  onState?: (state: PlaybackState) => void;
  /** Brings a new address where the old one was refused: a grant may have expired. */
  renew?: () => void;
  /** Words over the picture, instead of the player's own. */
  children?: ComponentChildren;
};

type Picture = Omit<StageProps, 'fill'> & { source: string; stage: RefObject<HTMLDivElement | null> };

const PictureAndControls = ({ source, live, title, muted, onState, renew, children, stage }: Picture) => {
  const video = useRef<HTMLVideoElement>(null);
  const playback = useRef<Playback | null>(null);
  const [state, setState] = useState<PlaybackState>({ is: 'loading' });
  const [soundBlocked, setSoundBlocked] = useState(false);
  const tell = useRef(onState);
  tell.current = onState;

  useLayoutEffect(() => {
    if (!video.current) return;
    const mine = createPlayback(video.current, {
      source,
      live,
      muted: muted ?? false,
      onState(next) {
        setState(next);
        tell.current?.(next);
      },
      onSoundBlocked: setSoundBlocked,
    });
    playback.current = mine;
    // After the engine, so that the picture's bytes are asked for first. Without controls the picture still plays.
    void import('./chrome.ts').catch(() => {});
    return () => {
      mine.destroy();
      playback.current = null;
    };
  }, [source, live]);
  useKeys(stage, video, playback);

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
  return (
    <>
      <media-controller
        lang={language.get()}
        nohotkeys
        noautoseektolive
        fullscreenelement="stage"
        defaultstreamtype={live ? 'live' : 'on-demand'}
      >
        <video ref={video} slot="media" playsInline aria-label={t('player.label', { title })} data-state={state.is} />
        {!live && <media-time-range key={`range ${language.get()}`} />}
        {/* The controls take their labels once: another language needs other controls. The video stays. */}
        <media-control-bar key={`bar ${language.get()}`}>
          <media-play-button />
          <media-mute-button />
          <media-volume-range />
          {live ? <LiveEdge playback={playback} /> : <media-time-display showduration />}
          <div class="space" />
          <media-pip-button />
          <media-fullscreen-button />
        </media-control-bar>
      </media-controller>
      {children ?? <PlaybackOver state={state} playback={playback.current} onPlay={play} onRetry={retry} />}
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
  return (
    <div id="stage" class={`stage ${fill ? 'fill' : ''}`} ref={stage}>
      {source === null ? rest.children : <PictureAndControls source={source} stage={stage} {...rest} />}
    </div>
  );
};
