/**
 * Judges grants for delivery. The grant `-` opens what is public or unlisted, and its verdicts are kept until an
 * event says that the video changed, so that the hot path pays one map look-up. Signed grants are judged by
 * whoever makes them (`TokenVerifier`).
 */
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { VideoStore } from '../catalog/videos.ts';
import { isId } from '../catalog/ids.ts';
import type { Asker, Audience, Gatekeeper, GrantVerdict } from '../delivery/presentation.ts';

/** Judges a signed grant, and keeps its own verdicts. */
export interface TokenVerifier {
  verdict(grant: string, video: string, audience: Audience, from: Asker): GrantVerdict | Promise<GrantVerdict>;
}

const absent: GrantVerdict = { ok: false, status: 404, code: 'not-found' };
const unjudged: GrantVerdict = { ok: false, status: 403, code: 'grant-malformed' };

const mostKept = 10_000;

export type OpenGatekeeper = Gatekeeper & { forget(video: string): void; close(): void };

export const createGatekeeper = (
  videos: Pick<VideoStore, 'get'>,
  events: Pick<EventDispatcher, 'subscribe'>,
  verifier: TokenVerifier | null = null,
): OpenGatekeeper => {
  const kept = new Map<string, GrantVerdict>();
  /** Counts up with every change heard: a verdict read from before a change must not be kept after it. */
  let changes = 0;

  const judge = async (video: string): Promise<GrantVerdict> => {
    const before = changes;
    const row = await videos.get(video);
    const open = row && (row.visibility === 'public' || row.visibility === 'unlisted');
    const verdict: GrantVerdict = open ? { ok: true, shared: true, expiresAt: null, maxHeight: null, mayDownload: row.downloads } : absent;
    if (changes === before) {
      kept.set(video, verdict);
      const [oldest] = kept.size > mostKept ? kept.keys() : [];
      if (oldest !== undefined) kept.delete(oldest);
    }
    return verdict;
  };
  const forget = (video: string): void => {
    changes += 1;
    kept.delete(video);
  };
  const stop = events.subscribe('video.', (event) => {
    if ('videoId' in event) forget(event.videoId);
  });
  return {
    verdict(grant, video, audience, from) {
      if (!isId(video)) return absent;
      if (grant === '-') return kept.get(video) ?? judge(video);
      return verifier ? verifier.verdict(grant, video, audience, from) : unjudged;
    },
    forget,
    close: stop,
  };
};
