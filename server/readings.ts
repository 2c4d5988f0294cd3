/** What the server's metrics are read from. */
import type { RtmpServer } from '../ingest/rtmp/server.ts';
import type { SrtCounters, SrtServer } from '../ingest/srt/server.ts';
import type { WorkHooks } from './api/hooks.ts';
import type { JobState } from './catalog/schema.ts';
import type { Delivery } from './delivery/handler.ts';
import type { Files } from './files.ts';
import { openStates, type JobCount, type JobQueue } from './jobs/queue.ts';
import type { Live } from './live/live.ts';
import type { SecondSounds } from './ladders/sounds.ts';
import type { LadderWorks } from './ladders/works.ts';
import type { LivePictures } from './pictures/live-pictures.ts';
import type { CertificateStore } from './certificates.ts';
import type { Reading } from './metrics.ts';
import type { TlsGate } from './tls-gate.ts';
import type { WebSockets } from './ws/websockets.ts';

type Sources = { readonly live: Live; readonly files: Files; readonly delivery: Delivery; readonly rtmp: RtmpServer; readonly srt: SrtServer; readonly sockets: WebSockets };
/** What is there only where TLS is. */
type Secured = { readonly certificates: CertificateStore; readonly gates: readonly TlsGate[] };

export const serverReadings = ({ live, files, delivery, rtmp, srt, sockets }: Sources) => (): readonly Reading[] => [
  { name: 'millrace_channels_live', help: 'Channels by state.', label: 'state', read: () => tally(live.channels.map(({ state }) => state)) },
  { name: 'millrace_ingest_backlog_bytes', help: 'Media received and not yet in the logs.', read: () => live.channels.reduce((sum, { run }) => sum + (run?.backlog ?? 0), 0) },
  { name: 'millrace_ingest_publishers', help: 'Publishers that are in.', label: 'protocol', read: () => live.health.figures.publishers },
  { name: 'millrace_ingest_sessions_total', help: 'Publishers that were let in.', label: 'protocol', read: () => live.health.figures.sessions },
  { name: 'millrace_ingest_media_bytes_total', help: 'Bytes of pictures and sound received.', label: 'protocol', read: () => live.health.figures.bytes },
  { name: 'millrace_ingest_units_total', help: 'Pictures and frames of sound received.', label: 'protocol', read: () => live.health.figures.units },
  { name: 'millrace_ingest_reconnects_total', help: 'Publishers that came back to a broadcast that they had lost.', read: () => live.health.figures.reconnects },
  { name: 'millrace_ingest_findings', help: 'Channels on which something is found wrong with what is sent, by what it is.', label: 'finding', read: () => live.health.figures.findings },
  { name: 'millrace_publish_refused_total', help: 'Publishers that were not let in, by reason.', label: 'reason', read: () => live.attempts.counts },
  { name: 'millrace_publish_hook_total', help: 'What the publish hook was asked and told, by what came of it.', label: 'end', read: () => ({ ...live.hookCounters }) },
  { name: 'millrace_rtmp_sessions', help: 'Open RTMP connections.', read: () => rtmp.sessions },
  { name: 'millrace_rtmp_accepted_total', help: 'RTMP connections accepted.', read: () => rtmp.counters.accepted },
  { name: 'millrace_rtmp_turned_away_total', help: 'RTMP connections turned away.', read: () => rtmp.counters.turnedAway },
  { name: 'millrace_rtmp_received_bytes_total', help: 'Bytes received over RTMP.', read: () => rtmp.counters.bytesIn },
  { name: 'millrace_srt_sessions', help: 'SRT publishers, those among them who wait to be let in.', read: () => srt.sessions },
  { name: 'millrace_srt_accepted_total', help: 'SRT callers let in.', read: () => srt.counters.accepted },
  { name: 'millrace_srt_rejected_total', help: 'SRT callers refused.', read: () => srt.counters.rejected },
  { name: 'millrace_srt_received_bytes_total', help: 'Bytes received over SRT.', read: () => srt.counters.bytes },
  { name: 'millrace_srt_stray_datagrams_total', help: 'Datagrams that were no part of anything.', read: () => srt.counters.strays },
  { name: 'millrace_srt_packets_total', help: 'Packets of media by what became of them.', label: 'packet', read: () => packetsOf(srt.counters) },
  { name: 'millrace_uploads_open', help: 'Files that bytes are missing of, those among them that are fetched.', read: () => files.figures.uploads.open },
  { name: 'millrace_uploads_received_bytes_total', help: 'Bytes of files that have come.', read: () => files.figures.uploads.received },
  { name: 'millrace_imports', help: 'Files that are fetched, or wait for their turn.', label: 'state', read: () => ({ running: files.figures.imports.running, waiting: files.figures.imports.waiting }) },
  { name: 'millrace_imports_ended_total', help: 'Files that were fetched, or could not be.', label: 'end', read: () => ({ fetched: files.figures.imports.fetched, failed: files.figures.imports.failed }) },
  { name: 'millrace_delivery_answers_total', help: 'Answers to players by kind and status.', label: 'answer', read: () => Object.fromEntries(delivery.stats().requests) },
  { name: 'millrace_delivery_sent_bytes_total', help: 'Bytes sent to players.', read: () => delivery.stats().bytesSent },
  { name: 'millrace_delivery_waiters', help: 'Requests that wait for media.', read: () => delivery.stats().waiters },
  { name: 'millrace_delivery_playlists_written_total', help: 'Playlists written, whatever the number of viewers.', read: () => delivery.stats().playlistsWritten },
  { name: 'millrace_delivery_cache_hits_total', help: 'Media answered from memory.', read: () => delivery.stats().cache.hits },
  { name: 'millrace_delivery_cache_misses_total', help: 'Media read from the logs.', read: () => delivery.stats().cache.misses },
  { name: 'millrace_delivery_cache_bytes', help: 'Memory that cached media takes.', read: () => delivery.stats().cache.bytes },
  { name: 'millrace_delivery_flows', help: 'Segments in progress and downloads on their way to players.', read: () => delivery.stats().flows },
  { name: 'millrace_delivery_slow_peers', help: 'Answers that wait for their peer to read.', read: () => delivery.stats().slowPeers.sending },
  { name: 'millrace_delivery_slow_peers_bytes', help: 'Memory that they hold.', read: () => delivery.stats().slowPeers.heldBytes },
  { name: 'millrace_delivery_slow_peers_dropped_total', help: 'Peers sent away because they did not read.', read: () => delivery.stats().slowPeers.dropped },
  { name: 'millrace_websockets', help: 'Open WebSocket connections.', read: () => sockets.connections },
  { name: 'millrace_disk_free_bytes', help: 'Room on the disk of the data folder.', read: () => live.disk.space.free },
  { name: 'millrace_disk_total_bytes', help: 'Size of the disk of the data folder.', read: () => live.disk.space.total },
];

const packetsOf = ({ packets, lost, recovered, dropped, undecrypted }: SrtCounters): Record<string, number> => ({ received: packets, lost, recovered, dropped, undecrypted });

const tally = (names: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = { starting: 0, live: 0, waiting: 0 };
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

export const pictureReadings = ({ counts }: Pick<LivePictures, 'counts'>) => (): readonly Reading[] => [
  { name: 'millrace_live_pictures_total', help: 'Live pictures for cards, by what came of them.', label: 'end', read: () => ({ ...counts }) },
];

type Jobs = Pick<JobQueue, 'counts' | 'ended'>;

export const jobReadings = (jobs: Jobs, work: Pick<WorkHooks, 'workers'>) => (): readonly Reading[] => {
  const counts = countsOnce(jobs);
  return [
    { name: 'millrace_jobs_queued', help: 'Jobs that wait for their turn or for others, by class.', label: 'class', read: () => jobsThat(counts, 'queued') },
    { name: 'millrace_jobs_running', help: 'Jobs that somebody works on, by class.', label: 'class', read: () => jobsThat(counts, 'leased') },
    { name: 'millrace_jobs_ended_total', help: 'Jobs that are over, by how they ended.', label: 'end', read: () => ({ ...jobs.ended }) },
    { name: 'millrace_workers', help: 'Processes that do jobs: the server, and workers beside it.', label: 'place', read: () => placesOf(work.workers()) },
  ];
};

const placesOf = (workers: readonly { readonly here: boolean }[]): Record<string, number> => {
  const here = workers.filter((worker) => worker.here).length;
  return { here, beside: workers.length - here };
};

/** All readings of one scrape ask in the same moment. */
const countsOnce = (jobs: Jobs): (() => Promise<readonly JobCount[]>) => {
  let asked: Promise<readonly JobCount[]> | null = null;
  return () =>
    (asked ??= jobs.counts(openStates).finally(() => {
      asked = null;
    }));
};

const jobsThat = async (counts: () => Promise<readonly JobCount[]>, state: JobState): Promise<Record<string, number>> =>
  Object.fromEntries((await counts()).flatMap(({ class: name, state: theirs, count }) => (theirs === state ? [[name, count]] : [])));

type Ladders = Pick<LadderWorks, 'budget' | 'shows' | 'restarts'>;

export const ladderReadings = (ladders: Ladders) => (): readonly Reading[] => [
  { name: 'millrace_encode_cores', help: 'Cores for encoding, by who holds them.', label: 'holder', read: () => coresOf(ladders.budget) },
  { name: 'millrace_ladder_rungs', help: 'Rungs of shows that are on: made now, shed, and left out when the show began.', label: 'state', read: () => rungsOf(ladders.shows) },
  { name: 'millrace_ladder_restarts_total', help: 'Encoders of ladders that were begun anew.', read: () => ladders.restarts },
];

export const secondSoundReadings = (sounds: Pick<SecondSounds, 'counts' | 'restarts'>) => (): readonly Reading[] => [
  { name: 'millrace_second_sounds', help: 'Shows that are on with their sound in AAC beside what comes: made now, and silent.', label: 'state', read: () => sounds.counts },
  { name: 'millrace_second_sound_restarts_total', help: 'Encoders of second sounds that were begun anew.', read: () => sounds.restarts },
];

const coresOf = ({ free, leases }: Ladders['budget']): Record<string, number> => {
  const held = (rank: string): number => leases.reduce((sum, { ask, cores }) => (ask.rank === rank ? sum + cores : sum), 0);
  return { live: held('live'), vod: held('vod'), free };
};

const rungsOf = (shows: Ladders['shows']): Record<string, number> => {
  const count = (state: 'encoding' | 'shed' | 'leftOut'): number => shows.reduce((sum, show) => sum + show[state].length, 0);
  return { encoding: count('encoding'), shed: count('shed'), leftOut: count('leftOut') };
};

export const tlsReadings = ({ certificates, gates }: Secured) => (): readonly Reading[] => [
  { name: 'millrace_tls_certificate_ends_seconds', help: 'When the certificate in use ends, seconds since 1970.', read: () => Math.floor(certificates.current.validTo / 1000) },
  { name: 'millrace_tls_certificate_refused', help: '1: the certificate in the files cannot be used, and the one before is.', read: () => (certificates.refused === null ? 0 : 1) },
  { name: 'millrace_tls_handshakes_open', help: 'Connections that have not finished their handshake.', read: () => gates.reduce((sum, { counters }) => sum + counters.handshaking, 0) },
  { name: 'millrace_tls_handshakes_total', help: 'Handshakes by how they ended.', label: 'end', read: () => handshakesOf(gates) },
];

const handshakesOf = (gates: readonly TlsGate[]): Record<string, number> => {
  const ends = { done: 0, failed: 0, dropped: 0 };
  for (const { counters } of gates) {
    ends.done += counters.done;
    ends.failed += counters.failed;
    ends.dropped += counters.dropped;
  }
  return ends;
};
