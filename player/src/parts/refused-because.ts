/** Why a sender was not let in, in words; a reason that this page does not know yet (the server is newer) is its own word. */
import type { Attempt } from '../api/types.ts';
import { enSenders } from '../words/en-senders.ts';
import { t } from '../words/index.ts';

export const refusedBecause = (reason: Attempt['reason']): string => {
  const key = `attempts.reason.${reason}` as const;
  return Object.hasOwn(enSenders, key) ? t(key) : reason;
};
