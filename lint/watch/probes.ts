/** Requests that no player makes, whose answers the draft names (HLS 6.2.5.2): once for each live playlist. */
import { fault } from '../finding.ts';
import type { RuleId } from '../catalogue.ts';
import { nextMsn, type MediaPlaylist } from '../read/playlist.ts';
import { ask, nameOf, type Ground } from './ground.ts';

const atOnceMs = 2_500;

export const probe = async (ground: Ground, url: string, list: MediaPlaylist): Promise<void> => {
  const next = nextMsn(list);
  const join = url.includes('?') ? '&' : '?';
  const refused = async (rule: RuleId, query: string): Promise<void> => {
    const asked = `${url}${join}${query}`;
    const answer = await ask(ground, asked, { kind: 'error' });
    // What has ended meanwhile knows no directives.
    if (!answer || (answer.status === 200 && answer.body.includes('\n#EXT-X-ENDLIST'))) return;
    ground.report.counts.probes += 1;
    if (answer.status !== 400) ground.report.tell(nameOf(url), [fault(rule, `${query} was answered with ${answer.status}`)]);
  };
  await refused('reload/too-far', `_HLS_msn=${next + 100}`);
  if (list.partTarget !== null) await refused('reload/part-alone', '_HLS_part=0');
  await refused('reload/garbage', '_HLS_msn=soon');
  await refused('reload/garbage', '_HLS_msn=-1');
  await passed(ground, url, join, list);
  await unknownPart(ground, url, list);
};

const passed = async (ground: Ground, url: string, join: string, list: MediaPlaylist): Promise<void> => {
  const query = `_HLS_msn=${list.mediaSequence}${list.partTarget === null ? '' : '&_HLS_part=0'}`;
  const answer = await ask(ground, `${url}${join}${query}`, { kind: 'error' });
  if (!answer) return;
  ground.report.counts.probes += 1;
  const ms = answer.endedAt - answer.askedAt;
  if (answer.status !== 200 || ms > atOnceMs) ground.report.tell(nameOf(url), [fault('reload/old', `${query} was answered with ${answer.status} after ${Math.round(ms)} ms`)]);
};

/** The hinted address with its last number raised: a part that will be, some day, or never. */
const unknownPart = async (ground: Ground, url: string, list: MediaPlaylist): Promise<void> => {
  const hint = list.hints.find(({ type }) => type === 'PART');
  const later = hint?.uri.replace(/(\d+)(?=\.\w+(?:\?|$))/, (number) => String(Number(number.slice(-4)) + 777));
  if (!hint || later === undefined || later === hint.uri || !URL.canParse(later, url)) return;
  const address = new URL(later, url).href;
  const answer = await ask(ground, address, { kind: 'error' });
  if (!answer) return;
  ground.report.counts.probes += 1;
  if (answer.status !== 404) ground.report.tell(nameOf(url), [fault('reload/future-part', `${later} was answered with ${answer.status}`)]);
};
