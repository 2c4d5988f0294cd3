/** The rules checker (lint/) over a running server: what it found, as lines that a failed test can show. */
import type { Finding } from '../../lint/finding.ts';
import { openNet, systemTime } from '../../lint/watch/net.ts';
import type { Report } from '../../lint/watch/report.ts';
import { watchStream } from '../../lint/watch/watch.ts';

export type Checker = {
  /** Resolves when the time is over, or the stream has ended and all of it was looked at. */
  readonly done: Promise<Report>;
  stop(): void;
};

/** All addresses are of one stream: their media is held against each other too. */
export const checkStream = (urls: readonly string[], seconds: number): Checker => {
  const net = openNet(systemTime);
  const stop = new AbortController();
  const done = watchStream(urls, { fetch: net.fetch, time: systemTime, seconds, signal: stop.signal }).finally(() => net.close());
  return { done, stop: () => stop.abort() };
};

/** How soon something comes hangs on how busy the machine is. */
const isPace = ({ rule }: Finding): boolean => rule.startsWith('pace/');

export const faultsOf = (report: Report): string[] =>
  report.findings.filter((one) => !isPace(one)).map(({ rule, where, says, at }) => `${(at / 1000).toFixed(1)} s ${rule} ${where}: ${says}`);

export const paceOf = (report: Report): string[] => report.findings.filter(isPace).map(({ where, says, at }) => `${(at / 1000).toFixed(1)} s ${where}: ${says}`);
