/** Ties the keys to the one player of the page. */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Playback } from '../playback/index.ts';
import { actionOf } from './keys.ts';
import type { Focus, KeyAction } from './keys.ts';
import { timeAt } from './time-labels.ts';
import { language } from '../words/index.ts';

const focusOf = (event: KeyboardEvent, stage: HTMLElement): Focus => {
  const [target] = event.composedPath();
  if (!(target instanceof HTMLElement)) return 'page';
  if (
    target.isContentEditable ||
    target.closest('textarea, select, input:not([type=checkbox], [type=radio], [type=range], [readonly])')
  )
    return 'field';
  // The sliders and buttons of the controls live in shadow trees; their hosts say what they are.
  if (
    event
      .composedPath()
      .some(
        (at) =>
          at instanceof HTMLElement &&
          at.matches('button, a, input, dialog, [role=button], [role=slider], media-volume-range'),
      )
  ) {
    return 'control';
  }
  return stage.contains(target) ? 'stage' : 'page';
};

const perform = (action: KeyAction, video: HTMLVideoElement, stage: HTMLElement, playback: Playback | null): void => {
  switch (action.do) {
    case 'toggle':
      if (video.paused) void video.play().catch(() => {});
      else video.pause();
      return;
    case 'mute':
      video.muted = !video.muted;
      return;
    case 'fullscreen':
      if (document.fullscreenElement) void document.exitFullscreen();
      else void stage.requestFullscreen?.().catch(() => {}); // refused inside a frame without the permission
      return;
    case 'captions':
      return playback?.captions.toggle(language.get());
    case 'seek':
      return playback?.seek(video.currentTime + action.by);
    case 'volume':
      video.volume = Math.min(1, Math.max(0, video.volume + action.by));
      return;
    case 'start':
      return playback?.startOver();
    case 'live':
      if (playback?.moment()?.live) playback.goLive();
      else playback?.seek(Infinity);
      return;
    case 'part': {
      const moment = playback?.moment();
      if (moment) playback?.seek(timeAt(moment, action.of));
      return;
    }
  }
};

export const useKeys = (
  stage: RefObject<HTMLElement | null>,
  video: RefObject<HTMLVideoElement | null>,
  playback: RefObject<Playback | null>,
): void => {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!stage.current || !video.current || event.defaultPrevented) return;
      const action = actionOf(event, focusOf(event, stage.current));
      if (!action) return;
      event.preventDefault();
      perform(action, video.current, stage.current, playback.current);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
};
