/** One run of the checker: addresses in, a report out. */
import type { Finding } from '../finding.ts';
import type { Fetch, Time } from './answer.ts';
import { DashSession } from './dash-session.ts';
import { SharedDigests, type Ground } from './ground.ts';
import { HlsSession } from './hls-session.ts';
import { Report } from './report.ts';

export type WatchOptions = {
  readonly fetch: Fetch;
  readonly time: Time;
  /** How long; the rules of a stream that has ended are through earlier. */
  readonly seconds: number;
  /** Ends it before its time. */
  readonly signal?: AbortSignal;
  readonly onFinding?: (finding: Finding) => void;
  /** Given the report at once, for whoever shows how far it is. */
  readonly onReport?: (report: Report) => void;
};

const isManifest = (url: string): boolean => /\.mpd$/i.test(URL.canParse(url) ? new URL(url).pathname : url);

/** Resolves when the time is over, or there is nothing more to see. */
export const watchStream = async (urls: readonly string[], options: WatchOptions): Promise<Report> => {
  const { fetch, time, seconds } = options;
  const begun = time.now();
  const report = new Report(() => time.now() - begun, options.onFinding);
  options.onReport?.(report);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const ground: Ground = { fetch, time, report, signal, digests: urls.length > 1 ? new SharedDigests((where, faults) => report.tell(where, faults)) : null };
  const sessions = urls.map((url) => (isManifest(url) ? new DashSession(ground, url).run() : new HlsSession(ground, url).run()));
  const through = Promise.all(sessions).then(() => stop.abort());
  await Promise.race([time.sleep(seconds * 1000, signal), through]);
  stop.abort();
  await through;
  ground.digests?.settle();
  return report;
};
