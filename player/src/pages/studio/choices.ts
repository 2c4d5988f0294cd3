/** The choices that a channel has, in words. */
import { latencies, visibilities } from '../../api/types.ts';
import type { Latency, Visibility } from '../../api/types.ts';
import { t } from '../../words/index.ts';

export const visibilityOptions = (): readonly (readonly [Visibility, string])[] =>
  visibilities.map((visibility) => [visibility, t(`room.visibility.${visibility}`)] as const);

export const latencyOptions = (): readonly (readonly [Latency, string])[] =>
  latencies.map((latency) => [latency, t(`room.latency.${latency}`)] as const);
