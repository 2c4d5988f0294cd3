/**
 * The checker by hand:
 *
 *     npm run lint:stream -- URL [URL of the same stream in DASH] [--seconds 60] [--json]
 *
 * Exit code 0: no error (there may be warnings). 1: at least one. 2: it was not understood what to do.
 */
import { parseArgs } from 'node:util';
import { summary, tellFinding } from './words.ts';
import { openNet, systemTime } from './watch/net.ts';
import type { Report } from './watch/report.ts';
import { watchStream } from './watch/watch.ts';

const usage = `usage: npm run lint:stream -- URL [URL …] [--seconds 60] [--json]

URL is a multivariant playlist (…/master.m3u8), a media playlist, or a manifest (….mpd). Several of one stream
are watched together, and their media is compared. Ctrl-C ends the run and prints what was found so far.`;

const progressEveryMs = 5_000;

type Wish = { readonly urls: readonly string[]; readonly seconds: number; readonly json: boolean };

const understand = (args: readonly string[]): Wish | null => {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { seconds: { type: 'string', default: '60' }, json: { type: 'boolean', default: false } } });
    const seconds = Number(values.seconds);
    const known = positionals.every((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol));
    return positionals.length > 0 && known && Number.isFinite(seconds) && seconds > 0 ? { urls: positionals, seconds, json: values.json } : null;
  } catch {
    // An option that nobody knows.
    return null;
  }
};

const main = async (): Promise<number> => {
  const wish = understand(process.argv.slice(2));
  if (!wish) {
    console.error(usage);
    return 2;
  }
  const { urls, seconds, json } = wish;
  const net = openNet(systemTime);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  let report: Report | null = null;
  const begun = performance.now();
  const progress = setInterval(() => {
    if (report && !json) console.error(`${Math.round((performance.now() - begun) / 1000)} s  ${summary(report)}`);
  }, progressEveryMs);
  try {
    report = await watchStream(urls, {
      fetch: net.fetch,
      time: systemTime,
      seconds,
      signal: stop.signal,
      onReport: (one) => (report = one),
      onFinding: (finding) => {
        if (!json) console.log(tellFinding(finding));
      },
    });
  } finally {
    clearInterval(progress);
    net.close();
  }
  const errors = report.count('error');
  if (json) console.log(JSON.stringify({ urls, errors, warnings: report.count('warning'), counts: report.counts, byRule: Object.fromEntries(report.byRule), findings: report.findings }, null, 2));
  else console.log(summary(report));
  return errors === 0 ? 0 : 1;
};

process.exitCode = await main();
