/** The player's controls (custom elements), loaded beside the picture and never before it. */
import 'media-chrome/dist/media-controller.js';
import 'media-chrome/dist/media-control-bar.js';
import 'media-chrome/dist/media-play-button.js';
import 'media-chrome/dist/media-mute-button.js';
import 'media-chrome/dist/media-volume-range.js';
import 'media-chrome/dist/media-time-range.js';
import 'media-chrome/dist/media-time-display.js';
import 'media-chrome/dist/media-pip-button.js';
import 'media-chrome/dist/media-fullscreen-button.js';
import { addTranslation } from 'media-chrome/dist/utils/i18n.js';
import { controlsKo } from '../words/controls-ko.ts';

addTranslation('ko', controlsKo);
