/** From facts to what is wrong with them. Pure: no clock, no memory; what stands already is asked more mildly. */
import type { IngestFacts } from './facts.ts';
import type { FindingCode, FindingParams, Severity } from './findings.ts';
import { ladderRules } from './judge-ladder.ts';
import { lineRules } from './judge-line.ts';
import { mediaRules } from './judge-media.ts';
import { videoRules } from './judge-video.ts';

export type Rule = {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** How long it has to be true to appear, and untrue to go, ms. */
  readonly after: number;
  readonly stays: number;
  /** What its sentence needs; null: all is well. `stands`: it has appeared, and its thresholds are wider. */
  readonly judge: (facts: IngestFacts, stands: boolean) => FindingParams | null;
};

export type Judgement = Pick<Rule, 'code' | 'severity' | 'after' | 'stays'> & { readonly params: FindingParams };

export const rules: readonly Rule[] = [...videoRules, ...mediaRules, ...ladderRules, ...lineRules];

export const judge = (facts: IngestFacts, standing: ReadonlySet<FindingCode>): Judgement[] =>
  rules.flatMap(({ code, severity, after, stays, judge: look }) => {
    const params = look(facts, standing.has(code));
    return params ? [{ code, severity, after, stays, params }] : [];
  });
