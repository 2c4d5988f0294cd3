/** Ingest health as the API and the WebSocket tell it: times as text, what is unknown as null. */
import type { HealthView } from './channel-health.ts';
import type { LineFacts } from './facts.ts';
import type { Finding } from './findings.ts';
import { byWeight, type IngestReport } from './report.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

const found = ({ code, severity, since, params }: Finding): object => ({ code, severity, since: iso(since), params });

const lineView = ({ packets, bytes, lost, recovered, dropped, again, undecrypted, damaged, rttMs, latencyMs, encrypted, recent }: LineFacts): object => ({
  ...{ packets, bytes, lost, recovered, dropped, retransmitted: again, undecryptable: undecrypted, damaged },
  ...{ rtt: Math.round(rttMs * 10) / 10, latency: latencyMs, encrypted, receiveRate: recent.bitrate, recentLost: recent.lost, recentPackets: recent.packets },
});

/** What is sent now. `history`: with the whole broadcast, for whoever asks once. */
export const healthView = (health: HealthView | null, history: boolean): Record<string, unknown> => {
  if (!health) return { session: null, video: null, audio: null, arrival: null, srt: null, minute: null, broadcast: null, ladder: null, findings: [] };
  const { facts, minute, findings } = health;
  const { session, video, audio, arrival, line, broadcast, ladder } = facts;
  const { step, video: videoRates, audio: audioRates, fps } = health.history;
  return {
    session: session && { protocol: session.protocol, software: session.software, address: session.address, since: iso(session.since) },
    video: video && {
      ...{ codec: video.codec, codecString: video.codecString, profile: video.profile, width: video.width, height: video.height },
      ...{ bitDepth: video.bitDepth, chroma: video.chroma, interlaced: video.interlaced, declaredFps: video.declaredFps },
      ...{ fps: video.fps, bitrate: video.bitrate, reordered: video.reordered },
      gop: { last: video.gop.last, min: video.gop.min, max: video.gop.max },
    },
    audio: audio && { codec: audio.codec, codecString: audio.codecString, sampleRate: audio.sampleRate, channels: audio.channels, bitrate: audio.bitrate },
    arrival: session && arrival,
    srt: line && lineView(line),
    minute: { ...minute, until: iso(minute.until) },
    broadcast: {
      ...{ since: iso(broadcast.since), sessions: broadcast.sessions, reconnects: broadcast.reconnects, jumps: broadcast.jumps, gaps: broadcast.gaps },
      ...(history && { history: { step, video: videoRates, audio: audioRates, fps } }),
    },
    ladder: ladder && { name: ladder.ladder, encoding: ladder.encoding, shed: ladder.shed, leftOut: ladder.leftOut, restarts: ladder.restarts },
    findings: findings.map(found),
  };
};

/** What was kept of a broadcast. */
export const reportView = ({ since, until, sessions, sessionCount, reconnects, jumps, gaps, video, audio, gop, history, findings }: IngestReport): Record<string, unknown> => ({
  ...{ since: iso(since), until: iso(until), sessionCount, reconnects, jumps, gaps, video, audio, gop, history },
  sessions: sessions.map(({ line, ...session }) => ({
    ...{ protocol: session.protocol, software: session.software, since: iso(session.since), until: iso(session.until), end: session.end, bytes: session.bytes },
    srt: line && { packets: line.packets, lost: line.lost, recovered: line.recovered, dropped: line.dropped, retransmitted: line.again, undecryptable: line.undecrypted, damaged: line.damaged, rtt: Math.round(line.rttMs * 10) / 10, latency: line.latencyMs, encrypted: line.encrypted },
  })),
  findings: findings.toSorted(byWeight).map(({ code, severity, first, last, lasted, times, params }) => ({ code, severity, first: iso(first), last: iso(last), seconds: Math.round(lasted / 1000), times, params })),
});
