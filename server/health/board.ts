/**
 * Findings that stand: one appears when it has been true for a while, and goes when it has not been for a while, so
 * that nothing flickers in front of somebody who has a show to make.
 */
import type { Finding, FindingCode } from './findings.ts';
import type { Judgement } from './judge.ts';

type Entry = { judgement: Judgement; trueSince: number; trueAt: number; finding: Finding | null };

const ranks = { error: 0, warning: 1, info: 2 } as const;

export class FindingBoard {
  readonly #entries = new Map<FindingCode, Entry>();

  /** Codes that stand now: what makes them go is asked more mildly than what made them come. */
  get standing(): ReadonlySet<FindingCode> {
    return new Set([...this.#entries].flatMap(([code, { finding }]) => (finding ? [code] : [])));
  }

  /** The worst first. */
  get findings(): Finding[] {
    const all = [...this.#entries.values()].flatMap(({ finding }) => (finding ? [finding] : []));
    return all.toSorted((a, b) => ranks[a.severity] - ranks[b.severity] || a.since - b.since);
  }

  /** Returns those that have gone. `now` is monotonic, `wall` is for people. */
  look(judgements: readonly Judgement[], now: number, wall: number): Finding[] {
    for (const judgement of judgements) {
      const entry = this.#entries.get(judgement.code) ?? { judgement, trueSince: now, trueAt: now, finding: null };
      this.#entries.set(judgement.code, entry);
      entry.judgement = judgement;
      entry.trueAt = now;
      const { code, severity, params, after } = judgement;
      if (entry.finding) entry.finding = { ...entry.finding, severity, params };
      else if (now - entry.trueSince >= after) entry.finding = { code, severity, since: wall - Math.round(now - entry.trueSince), params };
    }
    const gone: Finding[] = [];
    for (const [code, { judgement, trueAt, finding }] of this.#entries) {
      if (trueAt === now) continue;
      // What did not stand yet has to begin again.
      if (finding && now - trueAt < judgement.stays) continue;
      this.#entries.delete(code);
      if (finding) gone.push(finding);
    }
    return gone;
  }

  /** All of them end here. */
  clear(): Finding[] {
    const { findings } = this;
    this.#entries.clear();
    return findings;
  }
}
