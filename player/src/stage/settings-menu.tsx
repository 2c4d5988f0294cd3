/**
 * The one menu of the player: quality, captions, sound, and speed where there is a speed to choose. Each is a group of radio
 * buttons, so that arrows, Tab and a reader's shortcuts work as everywhere. More groups go here as more can be chosen.
 */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { bitRateText } from '../lib/format.ts';
import { Icon } from '../parts/icons.tsx';
import type { Playback } from '../playback/index.ts';
import { choiceNames } from '../playback/choices.ts';
import { sizeName } from '../playback/qualities.ts';
import type { Quality } from '../playback/qualities.ts';
import { language, t } from '../words/index.ts';

const speeds = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

type Option = { readonly id: string; readonly name: string; readonly note?: string };

type GroupProps = { title: string; options: readonly Option[]; chosen: string; onChoose: (id: string) => void };

const Group = ({ title, options, chosen, onChoose }: GroupProps) => {
  const name = useId();
  return (
    <fieldset>
      <legend>{title}</legend>
      {options.map((option) => (
        <label key={option.id}>
          <input type="radio" name={name} checked={option.id === chosen} onChange={() => onChoose(option.id)} />
          <span>{option.name}</span>
          {option.note !== undefined && <small>{option.note}</small>}
        </label>
      ))}
    </fieldset>
  );
};

const nothing = '';

/** Of one size and one sound without captions nothing can be chosen. A recording has its speed in any case. */
export const hasChoices = ({ captions, sounds, qualities }: Playback): boolean =>
  captions.choices().length > 0 || sounds.choices().length > 1 || qualities.choices().length > 1;

const qualityName = (quality: Quality): string => {
  const rate = bitRateText(language.get(), quality.bitRate);
  const size = sizeName(quality);
  return size === null ? t('quality.sound', { rate }) : t('quality.named', { size, rate });
};

const automatic = (shown: Quality | undefined): string => {
  const name = shown ? sizeName(shown) : null;
  return name === null ? t('quality.auto') : t('quality.auto.now', { name });
};

/** What was chosen is on its way, or not there just now. */
const shownInstead = (chosen: Quality, shown: Quality | undefined): Pick<Option, 'note'> => {
  const name = shown && shown.id !== chosen.id ? sizeName(shown) : null;
  return name === null ? {} : { note: t('quality.now', { name }) };
};

type MenuProps = { playback: Playback; video: HTMLVideoElement; live: boolean; onClose: () => void };

const Menu = ({ playback, video, live, onClose }: MenuProps) => {
  const box = useRef<HTMLDivElement>(null);
  const [, setSpeed] = useState(video.playbackRate);
  const tongue = language.get();
  useEffect(() => {
    const first = box.current?.querySelector<HTMLInputElement>('input:checked') ?? box.current;
    first?.focus({ preventScroll: true });
    const onPress = (event: PointerEvent): void => {
      const path = event.composedPath();
      if (!path.some((at) => at === box.current || (at instanceof HTMLElement && at.matches('.settings-button')))) onClose();
    };
    document.addEventListener('pointerdown', onPress);
    return () => document.removeEventListener('pointerdown', onPress);
  }, []);
  // While the menu still stands: what has left the page has lost the focus, and nobody could tell any more where it was.
  useLayoutEffect(() => {
    const { current } = box;
    return () => {
      // Whoever came by keyboard goes back to where he came from.
      if (current?.contains(document.activeElement))
        document.querySelector<HTMLElement>('.settings-button')?.focus({ preventScroll: true });
    };
  }, []);
  const captions = playback.captions.choices();
  const sounds = playback.sounds.choices();
  const captionNames = choiceNames(captions, tongue);
  const soundNames = choiceNames(sounds, tongue);
  const groups: ComponentChildren[] = [];
  const qualities = playback.qualities.choices();
  if (qualities.length > 1) {
    const chosen = playback.qualities.chosen();
    const shown = qualities.find(({ id }) => id === playback.qualities.shown());
    groups.push(
      <Group
        key="quality"
        title={t('quality.title')}
        options={[
          { id: nothing, name: automatic(chosen === null ? shown : undefined) },
          ...qualities.map((quality) => ({ id: quality.id, name: qualityName(quality), ...(quality.id === chosen ? shownInstead(quality, shown) : {}) })),
        ]}
        chosen={chosen ?? nothing}
        onChoose={(id) => playback.qualities.choose(id === nothing ? null : id)}
      />,
    );
  }
  if (captions.length > 0) {
    groups.push(
      <Group
        key="captions"
        title={t('player.captions')}
        options={[
          { id: nothing, name: t('player.captions.off') },
          ...captions.map(({ id }, index) => ({ id, name: captionNames[index] ?? id })),
        ]}
        chosen={playback.captions.shown() ?? nothing}
        onChoose={(id) => playback.captions.choose(id === nothing ? null : id)}
      />,
    );
  }
  if (sounds.length > 1) {
    groups.push(
      <Group
        key="sound"
        title={t('player.sounds')}
        options={sounds.map(({ id }, index) => ({ id, name: soundNames[index] ?? id }))}
        chosen={playback.sounds.chosen() ?? ''}
        onChoose={playback.sounds.choose}
      />,
    );
  }
  if (!live) {
    groups.push(
      <Group
        key="speed"
        title={t('player.speed')}
        options={speeds.map((speed) => ({
          id: String(speed),
          name: speed === 1 ? t('player.speed.normal') : t('player.speed.times', { speed: speed.toLocaleString(tongue) }),
        }))}
        chosen={String(video.playbackRate)}
        onChoose={(id) => {
          video.playbackRate = Number(id);
          setSpeed(video.playbackRate);
        }}
      />,
    );
  }
  return (
    <div
      ref={box}
      class="settings"
      role="dialog"
      aria-label={t('player.settings')}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      {groups}
    </div>
  );
};

type Props = {
  playback: RefObject<Playback | null>;
  video: RefObject<HTMLVideoElement | null>;
  live: boolean;
  open: boolean;
  onOpen: (open: boolean) => void;
};

export const SettingsButton = ({ open, onOpen }: Pick<Props, 'open' | 'onOpen'>) => (
  <button
    type="button"
    class="control settings-button"
    aria-label={t('player.settings')}
    title={t('player.settings')}
    aria-expanded={open}
    aria-haspopup="dialog"
    onClick={() => onOpen(!open)}
  >
    <Icon name="gear" />
  </button>
);

/** Beside the controls and not in them: they hide by themselves, and a menu must not hide under a hand. */
export const SettingsMenu = ({ playback, video, live, open, onOpen }: Props) => {
  if (!open || !playback.current || !video.current) return null;
  return <Menu playback={playback.current} video={video.current} live={live} onClose={() => onOpen(false)} />;
};
