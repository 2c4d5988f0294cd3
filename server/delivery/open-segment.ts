/**
 * The segment in progress, sent part by part as they come (LL-DASH): many who ask share the reads, since each part
 * is the file that LL-HLS players ask for by its own name. Whoever is slow gets the next part when he has taken the
 * one before, so what waits for him lies in the log and not in memory.
 */
import { progress, type Progress } from '../../packager/dash/open-segment.ts';
import { longestHold } from '../../packager/hls/reload.ts';
import { partName } from '../../packager/names.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import type { Exchange } from './exchange.ts';
import { cacheControl, common } from './headers.ts';
import type { MediaPath } from './media.ts';
import type { Found } from './find-media.ts';
import { etagOf, type MediaFile } from './media-files.ts';
import type { Flow } from './peers.ts';
import type { Presentation } from './presentation.ts';
import { problems } from './problem.ts';
import type { Service } from './service.ts';

export type OpenSegmentFound = Extract<Found, { kind: 'open' }>;

export const sendOpenSegment = async (service: Service, exchange: Exchange, presentation: Presentation, path: MediaPath, { msn, type, seal }: OpenSegmentFound): Promise<void> => {
  const { video, track, name, file } = path;
  const reader = presentation.reader(track);
  if (!reader) return exchange.problem(problems.gone);
  const etag = etagOf(`${video}/${track}/${file}`);
  const keep = cacheControl.media(exchange.shared);
  // Of a segment that is complete somewhere there is only one.
  if (exchange.unchanged(etag, keep)) return;

  const read = (seq: number, part: number): Promise<MediaFile> | MediaFile => {
    const key = `${video}/${track}/${partName(name.run, msn, part)}`;
    return service.files.cached(key) ?? service.files.read(key, { type, from: seq, to: seq + 1, eager: true, ...(seal && { made: seal }) }, reader);
  };
  let flow: Flow | null = null;
  try {
    for (let sent = 0; ; ) {
      const now = progress(presentation.snapshot(), track, msn, sent);
      if (now.kind !== 'open') {
        // Before the first byte there is still a way to say so.
        if (!flow) exchange.problem(problems.notYet);
        else flow.break();
        return;
      }
      for (const { seq, gap, size } of now.ready) {
        // A hole has no bytes.
        const { body } = gap || size === 0 ? { body: null } : await read(seq, sent);
        sent += 1;
        if (!body) continue;
        flow ??= exchange.stream(200, [...common, 'Content-Type', type, 'ETag', etag, 'Cache-Control', keep]);
        if (!flow || !(await flow.write(body))) return;
      }
      if (now.complete) return flow?.end();
      const moved = (newer: PresentationSnapshot): boolean => hasMore(progress(newer, track, msn, sent));
      const wish = { key: `open ${track}/${msn}/${sent}`, ready: moved, deadlineMs: longestHold(presentation.snapshot()) };
      const why = await service.until(exchange, presentation, wish);
      // The stop of the server brings shows to rest first: what it completed is still sent.
      if (why === 'left' || (why !== 'ready' && !moved(presentation.snapshot()))) return flow?.break();
    }
  } catch (error) {
    service.fail(exchange, error);
  }
};

const hasMore = (now: Progress): boolean => now.kind !== 'open' || now.complete || now.ready.length > 0;
