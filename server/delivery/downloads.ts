/**
 * Recordings as progressive MP4, with ranges. The file is never there as a whole: its description says what any byte
 * of it is, and the media comes out of the logs as fast as the peer takes it.
 *
 * A description of hours takes megabytes, and moments to make: a few are kept, and one is made at a time.
 */
import { setImmediate } from 'node:timers/promises';
import { allowedHeight } from '../../packager/hls/multivariant.ts';
import { LogError, type TrackLogReader } from '../../packager/log/types.ts';
import { fileRun, heightOf, tracksOf } from '../../packager/progressive/downloads.ts';
import type { ProgressiveFile } from '../../packager/progressive/file.ts';
import { planning } from '../../packager/progressive/plan.ts';
import { ProgressiveError } from '../../packager/progressive/progressive-error.ts';
import { openProgressive, readProgressive, type SourceOf } from '../../packager/progressive/read.ts';
import { inTurns } from '../../packager/progressive/steps.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../../packager/snapshot.ts';
import { HotCache } from './cache.ts';
import type { Exchange } from './exchange.ts';
import { attachment } from './file-name.ts';
import { cacheControl, common, type RawHeaders } from './headers.ts';
import type { PlayPath } from './path.ts';
import type { Presentation } from './presentation.ts';
import { problems, type Problem } from './problem.ts';
import type { Service } from './service.ts';
import { SingleFlight } from './single-flight.ts';

export type DownloadPath = Extract<PlayPath, { kind: 'download' }>;

const descriptionBytes = 96 * 1024 * 1024;
/** Read and handed on at once: what a slow peer costs. */
const batchBytes = 512 * 1024;
const endedSeconds = 60;
const atOnce = 1;
const longestLine = 20;

export class Downloads {
  readonly #service: Service;
  readonly #line = new SingleFlight<ProgressiveFile>(atOnce);
  /** One film of a night may take all of it. */
  readonly #descriptions = new HotCache<ProgressiveFile>(descriptionBytes, descriptionBytes);
  #forgotten = 0;

  constructor(service: Service) {
    this.#service = service;
  }

  give(exchange: Exchange, path: DownloadPath, query: string): void {
    if (!exchange.mayDownload) return exchange.problem(problems.downloadNotAllowed);
    this.#service.open(exchange, path.video, () => null, ({ presentation, sealed }) => (sealed ? exchange.problem(problems.downloadProtected) : this.#fromPresentation(exchange, presentation, path, query)));
  }

  /** The video is gone, or less of it may be seen. */
  forget(video: string): void {
    this.#forgotten++;
    this.#descriptions.drop((key) => key.startsWith(`${video}/`));
  }

  #fromPresentation(exchange: Exchange, presentation: Presentation, path: DownloadPath, query: string): void {
    const snapshot = presentation.snapshot();
    if (snapshot.state === 'live') return exchange.problem(snapshot.policy.growing ? problems.notWhole : problems.stillLive);
    if (path.name.run !== fileRun(snapshot)) return exchange.problem(problems.otherRun);
    const tracks = tracksOf(snapshot, path.name);
    if (!tracks) return exchange.problem(problems.noTrack);
    if (this.#line.waiting >= longestLine && !this.#descriptions.get(`${path.video}/${path.file}`)) return exchange.problem(problems.crowded);
    if (!tracks.every((track) => allowedHeight(track, exchange.maxHeight))) return exchange.problem(problems.height);
    this.#service.later(exchange, async () => {
      try {
        const sourceOf = this.#sourceOf(path.video, snapshot);
        await this.#send(exchange, await this.#describe(snapshot, path, sourceOf), sourceOf, headOf(tracks, path, query));
      } catch (error) {
        const problem = error instanceof ProgressiveError ? unfit(error) : null;
        if (!problem || exchange.over) throw error;
        exchange.problem(problem);
      }
    });
  }

  async #describe(snapshot: PresentationSnapshot, { video, file, name }: DownloadPath, sourceOf: SourceOf): Promise<ProgressiveFile> {
    const key = `${video}/${file}`;
    const known = this.#descriptions.get(key);
    if (known) return known;
    const before = this.#forgotten;
    return this.#line.get(key, async () => {
      const made = await openProgressive(await inTurns(planning(snapshot, ...name.tracks), setImmediate), sourceOf);
      if (before === this.#forgotten) this.#descriptions.offer(key, made, made.cost, true);
      return made;
    });
  }

  async #send(exchange: Exchange, file: ProgressiveFile, sourceOf: SourceOf, head: RawHeaders): Promise<void> {
    const { etag, length } = file;
    const keep = cacheControl.for(exchange.shared, endedSeconds);
    if (exchange.unchanged(etag, keep)) return;
    const range = exchange.range(etag, length);
    if (!range) return;
    const { from, to } = range.kind === 'part' ? range : { from: 0, to: length };
    const headers = [...head, 'Content-Length', String(to - from), 'ETag', etag, 'Cache-Control', keep];
    if (range.kind === 'part') headers.push('Content-Range', `bytes ${from}-${to - 1}/${length}`);
    const flow = exchange.stream(range.kind === 'part' ? 206 : 200, headers);
    if (!flow) return;
    let gathered: Buffer[] = [];
    let bytes = 0;
    for await (const piece of readProgressive(file, sourceOf, from, to, batchBytes)) {
      gathered.push(piece);
      bytes += piece.length;
      // Frames of sound are small: many leave in one write.
      if (bytes < batchBytes) continue;
      if (!(await flow.write(Buffer.concat(gathered)))) return;
      gathered = [];
      bytes = 0;
    }
    if (bytes === 0 || (await flow.write(Buffer.concat(gathered)))) flow.end();
  }

  /** A download takes as long as it takes: meanwhile logs are closed and opened again, videos removed, trimmed, protected. */
  #sourceOf(video: string, begun: PresentationSnapshot): SourceOf {
    const { inMicros, outMicros } = begun.cut;
    const readerOf = async (track: string): Promise<TrackLogReader> => {
      const found = this.#service.released ? null : await this.#service.presentations.find(video);
      const now = found?.snapshot();
      const same = now && fileRun(now) === fileRun(begun) && now.cut.inMicros === inMicros && now.cut.outMicros === outMicros;
      const reader = same ? found?.reader(track) : null;
      if (!reader) throw new LogError('gone', `video ${video} is not there any more, or is another`);
      return reader;
    };
    return (track) => ({
      read: async (from, to) => (await readerOf(track)).readChecked(from, to),
      readHeads: async (from, to, bytes) => (await readerOf(track)).readHeads(from, to, bytes),
    });
  }
}

const headOf = (tracks: readonly TrackSnapshot[], { video }: DownloadPath, query: string): RawHeaders => {
  const [lead] = tracks;
  const height = lead ? heightOf(lead) : null;
  const type = lead?.kind === 'audio' ? 'audio/mp4' : 'video/mp4';
  const ending = height === null ? '.mp4' : `-${height}p.mp4`;
  return [...common, 'Content-Type', type, 'Accept-Ranges', 'bytes', 'Content-Disposition', attachment(query, video, ending)];
};

/** Asked for again it would be no better. */
const unfit = ({ code }: ProgressiveError): Problem => ({ status: 404, code: `mp4-${code}`, detail: 'No MP4 file can be made of this recording.' });
