/** The state of a channel in one word. */
import type { ChannelState } from '../api/follow.ts';
import { t } from '../words/index.ts';

export const StateBadge = ({ state }: { state: ChannelState }) => (
  <span class={`badge ${state}`} data-state={state}>
    {state === 'live' ? t('live.badge') : t(`live.${state}`)}
  </span>
);
