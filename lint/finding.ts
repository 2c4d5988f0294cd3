/** What a rule says when it is not kept. Rules are generators of these: pure, one sentence a fault. */
import type { RuleId } from './catalogue.ts';

export type Fault = { readonly rule: RuleId; readonly says: string };

export const fault = (rule: RuleId, says: string): Fault => ({ rule, says });

export type Faults = Iterable<Fault>;

/** A fault, where it was seen and when (ms since the checker began). */
export type Finding = Fault & { readonly where: string; readonly at: number };
