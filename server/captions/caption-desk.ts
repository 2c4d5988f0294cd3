/** What the API can do with captions: files for recordings, and words for shows that are on, as fast as anybody reads. */
import type { Clock } from '../../packager/clock.ts';
import { TokenBuckets } from '../auth/buckets.ts';
import type { CaptionHooks, CaptionSaid } from '../api/hooks.ts';
import type { LiveChannel } from '../live/channel.ts';
import type { RecordedCaptions } from './recorded-captions.ts';

const rule = { burst: 20, refillMs: 250 };

export const captionDesk = (recorded: RecordedCaptions, channelOf: (id: string) => LiveChannel | null, clock: Clock): CaptionHooks => {
  const buckets = new TokenBuckets(rule, clock);
  return {
    list: (video) => recorded.list(video),
    put: (video, language, name, vtt) => recorded.put(video, language, name, vtt),
    remove: (video, language) => recorded.remove(video, language),
    say(channelId, language, text, durationMicros): CaptionSaid {
      const channel = channelOf(channelId);
      if (!channel?.run) return { kind: 'not-live' };
      const waitMs = buckets.take(channelId);
      if (waitMs > 0) return { kind: 'slow-down', waitMs };
      const said = channel.caption(language, text, durationMicros);
      if (said === null) return { kind: 'not-live' };
      return said === 'full' ? { kind: 'slow-down', waitMs: 2000 } : { kind: said };
    },
  };
};
