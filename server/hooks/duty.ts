/** The publish hook, put together: who asks, who tells afterwards, and one line to the operator's address for both. */
import type { Clock } from '../../packager/clock.ts';
import { newId } from '../catalog/ids.ts';
import type { PublishNoticeStore } from '../catalog/publish-notices.ts';
import type { ServerLog } from '../log.ts';
import { version } from '../version.ts';
import { HookCaller, type HookTarget } from './call.ts';
import { PublishHook, type HookCounters } from './publish-hook.ts';
import { PublishNotices, type NoticeCounters } from './publish-notices.ts';

export type HookSettings = HookTarget & { readonly onFailure: 'refuse' | 'allow' };

export type HookDuty = {
  readonly hook: PublishHook;
  readonly counters: HookCounters & NoticeCounters;
  start(): Promise<void>;
  stop(): Promise<void>;
};

type Parts = {
  readonly settings: HookSettings;
  readonly store: PublishNoticeStore;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly videoOf: (channelId: string) => string | null;
};

const askedAtOnce = 32;
const toldAtOnce = 4;

export const openHook = ({ settings, store, clock, log, videoOf }: Parts): HookDuty => {
  const target = { ...settings, clock, userAgent: `Millrace/${version}` };
  // Ends that are told again and again must not keep anybody from being asked about.
  const asking = new HookCaller({ ...target, atOnce: askedAtOnce });
  const telling = new HookCaller({ ...target, atOnce: toldAtOnce });
  const notices = new PublishNotices({ store, caller: telling, clock, log });
  const hook = new PublishHook({ caller: asking, notices, onFailure: settings.onFailure, clock, log, newId, videoOf });
  return {
    hook,
    get counters() {
      return { ...hook.counters, ...notices.counters };
    },
    start: () => notices.start(),
    async stop() {
      asking.close();
      telling.close();
      await notices.stop();
    },
  };
};
