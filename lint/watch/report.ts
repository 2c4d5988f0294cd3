/** What was found, counted by rule, kept within bounds: a stream that is wrong is wrong again with every part. */
import { catalogue, type RuleId } from '../catalogue.ts';
import type { Faults, Finding } from '../finding.ts';

export type Counts = { answers: number; bytes: number; playlists: number; deltas: number; manifests: number; parts: number; segments: number; inits: number; probes: number; hints: number; skipped: number };

const keptPerRule = 20;
/** Which sentences were said already; the oldest are forgotten. */
const remembered = 5_000;

export class Report {
  readonly findings: Finding[] = [];
  readonly byRule = new Map<RuleId, number>();
  readonly counts: Counts = { answers: 0, bytes: 0, playlists: 0, deltas: 0, manifests: 0, parts: 0, segments: 0, inits: 0, probes: 0, hints: 0, skipped: 0 };
  readonly #said = new Set<string>();
  readonly #now: () => number;
  readonly #onFinding: (finding: Finding) => void;

  constructor(now: () => number, onFinding: (finding: Finding) => void = () => undefined) {
    this.#now = now;
    this.#onFinding = onFinding;
  }

  /** The same sentence about the same address is one finding. */
  readonly tell = (where: string, faults: Faults): void => {
    for (const { rule, says } of faults) {
      const key = `${rule} ${where} ${says}`;
      if (this.#said.has(key)) continue;
      this.#said.add(key);
      if (this.#said.size > remembered) this.#said.delete(this.#said.values().next().value ?? '');
      const count = (this.byRule.get(rule) ?? 0) + 1;
      this.byRule.set(rule, count);
      if (count > keptPerRule) continue;
      const finding = { rule, says, where, at: Math.round(this.#now()) };
      this.findings.push(finding);
      this.#onFinding(finding);
    }
  };

  count(severity: 'error' | 'warning'): number {
    let sum = 0;
    for (const [rule, count] of this.byRule) if (catalogue[rule].severity === severity) sum += count;
    return sum;
  }
}
