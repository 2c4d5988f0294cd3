/**
 * What is kept of a broadcast: how it came in, in few numbers, over as many sessions as the line made of it. Goes on
 * after a restart where it was, as it is what it tells.
 */
import type { EndReason, LineReport, Protocol } from '../../packager/media/publish.ts';
import type { AudioShape, History, VideoShape } from './facts.ts';
import type { Finding, FindingCode, FindingParams, Severity } from './findings.ts';

const mostSessions = 32;
const mostShapes = 8;

export type SessionReport = {
  readonly protocol: Protocol;
  readonly software: string | null;
  /** Wall clock, ms. */
  readonly since: number;
  readonly until: number;
  /** Null: it was still on when this was written. */
  readonly end: EndReason | null;
  readonly bytes: number;
  readonly line: LineReport | null;
};
/** A finding of the past. */
export type FindingReport = {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly first: number;
  readonly last: number;
  /** ms that it stood, in all. */
  readonly lasted: number;
  readonly times: number;
  readonly params: FindingParams;
};
export type IngestReport = {
  readonly since: number;
  readonly until: number;
  readonly sessions: readonly SessionReport[];
  /** With those that are not listed any more. */
  readonly sessionCount: number;
  readonly reconnects: number;
  readonly jumps: number;
  readonly gaps: number;
  readonly video: readonly VideoShape[];
  readonly audio: readonly AudioShape[];
  readonly gop: { readonly min: number; readonly max: number } | null;
  readonly history: History;
  readonly findings: readonly FindingReport[];
};

export const reportVersion = 1;
export const writeReport = (report: IngestReport): string => JSON.stringify({ version: reportVersion, ...report });

/** Null: of another version, which is no reason to fail. */
export const readReport = (text: string): IngestReport | null => {
  const { version, ...report } = JSON.parse(text) as IngestReport & { readonly version: number };
  return version === reportVersion ? report : null;
};

/** The last ones are those that are remembered. */
export const keepSession = (sessions: readonly SessionReport[], session: SessionReport): SessionReport[] =>
  [...sessions, session].slice(-mostSessions);

export const keepShape = <T extends VideoShape | AudioShape>(shapes: readonly T[], shape: T): readonly T[] =>
  shapes.some((known) => JSON.stringify(known) === JSON.stringify(shape)) ? shapes : [...shapes, shape].slice(-mostShapes);

/** The worst first, and of these the longest. */
const ranks = { error: 0, warning: 1, info: 2 } as const;
export const byWeight = (a: FindingReport, b: FindingReport): number => ranks[a.severity] - ranks[b.severity] || b.lasted - a.lasted;

/** What stood for so long, once more; of each code there is one. */
export const keepFinding = (reports: readonly FindingReport[], { code, severity, since, params }: Finding, until: number): FindingReport[] => {
  const known = reports.find((report) => report.code === code);
  const others = reports.filter((report) => report !== known);
  const times = (known?.times ?? 0) + 1;
  return [...others, { code, severity, first: known?.first ?? since, last: until, lasted: (known?.lasted ?? 0) + Math.max(0, until - since), times, params }];
};
