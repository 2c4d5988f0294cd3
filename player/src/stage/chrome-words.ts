/** Teaches the controls Korean. A module of its own, so that it runs before the modules that define them. */
import { addTranslation } from 'media-chrome/dist/utils/i18n.js';
import { controlsKo } from '../words/controls-ko.ts';

addTranslation('ko', controlsKo);
