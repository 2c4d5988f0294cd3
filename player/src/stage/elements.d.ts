/** The custom elements that the stage uses, for JSX. */
import type { ClassAttributes, HTMLAttributes } from 'preact';

type Custom = HTMLAttributes<HTMLElement> & ClassAttributes<HTMLElement> & Readonly<Record<string, unknown>>;

declare global {
  namespace preact.JSX {
    interface IntrinsicElements {
      'media-controller': Custom;
      'media-control-bar': Custom;
      'media-play-button': Custom;
      'media-mute-button': Custom;
      'media-volume-range': Custom;
      'media-pip-button': Custom;
      'media-fullscreen-button': Custom;
    }
  }
}
