/** What lies over the picture: waiting, errors, and words about the state of the channel. */
import type { ComponentChildren } from 'preact';
import { Button } from '../parts/button.tsx';
import { Water } from '../parts/cover.tsx';
import { toast } from '../parts/toasts.tsx';
import { copyText } from '../lib/copy.ts';
import type { Playback, PlaybackState } from '../playback/index.ts';
import { t } from '../words/index.ts';

/** A panel instead of a picture: water behind it when there is nothing to see. */
export const StageWords = ({
  title,
  text,
  water,
  pass,
  children,
}: {
  title: string;
  text?: string;
  water?: string;
  /** The controls below stay in reach: there may be something to go back to. */
  pass?: boolean;
  children?: ComponentChildren;
}) => (
  <div class={`over ${water === undefined ? 'veil' : ''} ${pass ? 'pass' : ''}`}>
    {water !== undefined && (
      <div class="backdrop">
        <Water name={water} />
      </div>
    )}
    <div class="words" role="status">
      <h2>{title}</h2>
      {text !== undefined && <p>{text}</p>}
      {children}
    </div>
  </div>
);

const Waiting = ({ words, at }: { words: string; at: 'once' | 'late' }) => (
  <div class={`over pass ${at === 'late' ? 'wheel-late' : ''}`}>
    <div class="words" role="status">
      <div class="wheel" />
      <span class="sr-only">{words}</span>
    </div>
  </div>
);

type PlaybackOverProps = { state: PlaybackState; playback: Playback | null; onPlay: () => void; onRetry: () => void };

export const PlaybackOver = ({ state, playback, onPlay, onRetry }: PlaybackOverProps) => {
  switch (state.is) {
    case 'loading':
      return <Waiting words={t('player.loading')} at="late" />;
    case 'stalled':
      return state.because === 'network' ? (
        <StageWords title={t('player.stalled')} text={t('player.error.network')}>
          <div class="wheel" />
        </StageWords>
      ) : (
        <Waiting words={t('player.stalled')} at="late" />
      );
    case 'error': {
      const copy = async (): Promise<void> =>
        toast((await copyText(playback?.details() ?? '')) ? t('copy.done') : t('copy.byHand'));
      return (
        <StageWords title={t('player.error')} text={t(`player.error.${state.code}`)}>
          <div class="row">
            <Button look="primary" onPress={onRetry}>
              {t('frame.retry')}
            </Button>
            <Button onPress={() => void copy()}>{t('player.details')}</Button>
          </div>
        </StageWords>
      );
    }
    case 'ended':
      return (
        <div class="over pass veil">
          <div class="words" role="status">
            <h2>{t('player.finished')}</h2>
            <Button onPress={onPlay}>{t('player.again')}</Button>
          </div>
        </div>
      );
    case 'paused':
      return state.refused ? (
        <div class="over">
          <Button look="primary" onPress={onPlay}>
            {t('player.play')}
          </Button>
        </div>
      ) : null;
    case 'playing':
      return null;
  }
};
