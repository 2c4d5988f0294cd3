/** How long ago, in words that follow the language. Under a minute it is "just now": seconds would be wrong at once. */
import type { Instant } from '../api/types.ts';
import { ago, dateOf } from '../lib/format.ts';
import { language, t } from '../words/index.ts';

export const since = (instant: Instant, now = Date.now()): string =>
  Math.abs(now - dateOf(instant).getTime()) < 60_000 ? t('time.justNow') : ago(language.get(), instant, now);
