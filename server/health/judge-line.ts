/** What is judged of the way here: how fast and how evenly media comes, what the line loses, how often it breaks. */
import type { IngestFacts, LineFacts } from './facts.ts';
import type { FindingParams } from './findings.ts';
import type { Rule } from './judge.ts';

const silence = 3_000;
const often = 3;
/** Loss of the last ten seconds is worth telling of when there were packets enough to speak of. */
const fewPackets = 50;

const ofLine =
  (look: (line: LineFacts, stands: boolean) => FindingParams | null): Rule['judge'] =>
  ({ session, line }, stands) =>
    session && line ? look(line, stands) : null;

const percent = (part: number, whole: number): number => Math.round((part / Math.max(1, whole)) * 1000) / 10;

/** Of the track that the others go by: the picture, or the sound where there is none. */
const isSilent = ({ video, audio }: IngestFacts): boolean => (video ? video.silent > video.patience : (audio?.silent ?? 0) > silence);

export const lineRules: readonly Rule[] = [
  {
    ...{ code: 'videoIngestionStarved', severity: 'error', after: 1_000, stays: 4_000 },
    judge: (facts, stands) => {
      if (!facts.session || (!facts.video && !facts.audio)) return null;
      const { speed } = facts.arrival;
      const slow = speed !== null && speed < (stands ? 0.97 : 0.92);
      return slow || isSilent(facts) ? { percent: Math.max(0, Math.round((speed ?? 0) * 100)) } : null;
    },
  },
  {
    ...{ code: 'videoIngestionFasterThanRealtime', severity: 'warning', after: 5_000, stays: 4_000 },
    judge: ({ session, arrival: { speed } }, stands) => (session && speed !== null && speed > (stands ? 1.04 : 1.1) ? { times: Math.round(speed * 10) / 10 } : null),
  },
  {
    ...{ code: 'arrivalUneven', severity: 'warning', after: 0, stays: 10_000 },
    judge: ({ session, arrival: { late } }, stands) => (session && late > (stands ? 500 : 1_000) ? { seconds: Math.round(late / 100) / 10 } : null),
  },
  {
    ...{ code: 'stampsJumped', severity: 'warning', after: 0, stays: 0 },
    judge: ({ session, broadcast: { recentJumps } }) => (session && recentJumps > 0 ? { times: recentJumps } : null),
  },
  {
    ...{ code: 'reconnects', severity: 'warning', after: 0, stays: 0 },
    judge: ({ broadcast: { recentReconnects } }) => (recentReconnects >= often ? { times: recentReconnects } : null),
  },
  {
    ...{ code: 'twoEncoders', severity: 'warning', after: 0, stays: 0 },
    judge: ({ session, broadcast: { recentRivals } }) => (session && recentRivals > 0 ? { times: recentRivals } : null),
  },
  {
    // draft-sharabayko-srt recommends four round trips; below two and a half there is no time to send a packet again twice.
    ...{ code: 'srtLatencyLow', severity: 'warning', after: 5_000, stays: 5_000 },
    judge: ofLine(({ latencyMs, rttMs, packets }, stands) => {
      if (packets < fewPackets || latencyMs >= rttMs * (stands ? 3 : 2.5)) return null;
      return { latency: latencyMs, rtt: Math.round(rttMs), wanted: Math.ceil((rttMs * 4) / 10) * 10 };
    }),
  },
  {
    ...{ code: 'srtLossHigh', severity: 'warning', after: 2_000, stays: 5_000 },
    judge: ofLine(({ recent }, stands) => {
      const whole = recent.packets + recent.lost;
      const share = percent(recent.lost, whole);
      return whole >= fewPackets && share > (stands ? 2 : 5) ? { percent: share } : null;
    }),
  },
  {
    ...{ code: 'srtDropped', severity: 'error', after: 0, stays: 5_000 },
    judge: ofLine(({ recent }) => (recent.dropped > 0 ? { packets: recent.dropped } : null)),
  },
  {
    ...{ code: 'srtUndecryptable', severity: 'error', after: 0, stays: 5_000 },
    judge: ofLine(({ recent }) => (recent.undecrypted > 0 ? { packets: recent.undecrypted } : null)),
  },
];
