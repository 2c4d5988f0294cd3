/** What is judged of what is encoded beside a show: what viewers on bad lines do not get, and why. */
import type { IngestFacts, LadderFacts } from './facts.ts';
import type { FindingParams } from './findings.ts';
import type { Rule } from './judge.ts';

/** What has happened is told for a minute. */
const toldFor = 60_000;

const ofLadder =
  (look: (ladder: LadderFacts) => FindingParams | null): Rule['judge'] =>
  ({ session, ladder }: IngestFacts) =>
    session && ladder ? look(ladder) : null;

const named = (heights: readonly number[]): FindingParams | null => (heights.length === 0 ? null : { heights: heights.map((height) => `${height}p`).join(', ') });

export const ladderRules: readonly Rule[] = [
  // A show may begin a moment before there is room for its rungs.
  { ...{ code: 'ladderShed', severity: 'warning', after: 3_000, stays: 3_000 }, judge: ofLadder(({ shed }) => named(shed)) },
  { ...{ code: 'ladderCut', severity: 'warning', after: 0, stays: 0 }, judge: ofLadder(({ leftOut }) => named(leftOut)) },
  { ...{ code: 'ladderGone', severity: 'warning', after: 0, stays: 0 }, judge: ofLadder(({ gone = false, ladder }) => (gone ? { ladder } : null)) },
  {
    ...{ code: 'ladderRestarted', severity: 'info', after: 0, stays: 0 },
    judge: ofLadder(({ restarts, sinceRestartMs }) => (sinceRestartMs !== null && sinceRestartMs < toldFor ? { times: restarts } : null)),
  },
];
