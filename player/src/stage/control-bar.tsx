/** The row of controls under the time bar: what one presses, and where the viewing stands. */
import type { RefObject } from 'preact';
import { Icon } from '../parts/icons.tsx';
import { clock } from '../lib/format.ts';
import type { Playback } from '../playback/index.ts';
import { language, t } from '../words/index.ts';
import { LiveEdge } from './live-edge.tsx';
import { SettingsButton } from './settings-menu.tsx';
import { useMoment } from './use-moment.ts';

const TimeText = ({ playback }: { playback: RefObject<Playback | null> }) => {
  const moment = useMoment(playback);
  if (!moment) return null;
  const { at, window } = moment;
  // The bar says the same to readers, in words.
  return (
    <span class="time-text" aria-hidden="true">
      {clock(at - window.from)} <span>/ {clock(window.to - window.from)}</span>
    </span>
  );
};

type Props = {
  playback: RefObject<Playback | null>;
  live: boolean;
  /** Whether captions are shown; null: there are none. */
  captions: boolean | null;
  /** There is something to choose in the menu. */
  settings: boolean;
  menuOpen: boolean;
  onMenu: (open: boolean) => void;
  /** Null: the whole is here, and its beginning is where the bar begins. */
  onStartOver: (() => void) | null;
};

export const ControlBar = ({ playback, live, captions, settings, menuOpen, onMenu, onStartOver }: Props) => (
  <media-control-bar>
    <media-play-button />
    <media-mute-button />
    <media-volume-range />
    {live ? <LiveEdge playback={playback} /> : <TimeText playback={playback} />}
    {onStartOver && (
      <button type="button" class="control worded" title={t('player.startOver')} onClick={onStartOver}>
        <Icon name="restart" />
        <span>{t('player.startOver')}</span>
      </button>
    )}
    <div class="space" />
    {captions !== null && (
      <button
        type="button"
        class="control captions-button"
        aria-label={t('player.captions')}
        title={t('player.captions.key')}
        aria-pressed={captions}
        onClick={() => playback.current?.captions.toggle(language.get())}
      >
        <Icon name="captions" />
      </button>
    )}
    {settings && <SettingsButton open={menuOpen} onOpen={onMenu} />}
    <media-pip-button />
    <media-fullscreen-button />
  </media-control-bar>
);
