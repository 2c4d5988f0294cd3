/** What people read of a report. */
import { catalogue } from './catalogue.ts';
import type { Finding } from './finding.ts';
import type { Report } from './watch/report.ts';

export const tellFinding = ({ rule, says, where, at }: Finding): string => {
  const { severity, section, asks } = catalogue[rule];
  return `${severity.padEnd(7)} ${(at / 1000).toFixed(1)} s  ${rule}  ${where}\n        ${says}\n        asked: ${asks} (${section})`;
};

const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export const summary = (report: Report): string => {
  const { answers, bytes, playlists, deltas, manifests, parts, segments, hints, probes, skipped } = report.counts;
  const seen = [
    playlists > 0 ? `${plural(playlists, 'playlist')} (${plural(deltas, 'delta')})` : '',
    manifests > 0 ? plural(manifests, 'manifest') : '',
    parts > 0 ? `${plural(parts, 'part')} (${hints} as hints)` : '',
    plural(segments, 'segment'),
    probes > 0 ? plural(probes, 'probe') : '',
    skipped > 0 ? `${skipped} not looked at: the checker did not keep up` : '',
  ].filter((one) => one !== '');
  return `${plural(report.count('error'), 'error')}, ${plural(report.count('warning'), 'warning')} in ${plural(answers, 'answer')} of ${(bytes / 1e6).toFixed(1)} MB: ${seen.join(', ')}`;
};
