/** The playlists of one track: the live window with its blocking reloads, all of a show, its key pictures, and the same in MPEG-TS. */
import { iframesPlaylist } from '../../packager/hls/iframes.ts';
import { mediaPlaylist } from '../../packager/hls/media.ts';
import { allowedHeight } from '../../packager/hls/multivariant.ts';
import { judgeReload } from '../../packager/hls/reload.ts';
import { isCarried, tsMediaPlaylist } from '../../packager/hls/ts.ts';
import { transportFolder } from '../../packager/hls/ts-names.ts';
import { findTrack } from '../../packager/hls/window.ts';
import { listedSlots, type Protected } from '../../packager/protect/keys.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import { seenThrough } from './cut.ts';
import type { Exchange } from './exchange.ts';
import { cacheControl } from './headers.ts';
import type { PlayPath } from './path.ts';
import { playlistType } from './playlists.ts';
import { problems } from './problem.ts';
import type { Needs, Opened, Service } from './service.ts';

type PlaylistPath = Extract<PlayPath, { kind: 'playlist' }>;
type Given = { readonly skip: boolean; readonly lasting: boolean };

const endedSeconds = 60;

export const givePlaylist = (service: Service, exchange: Exchange, opened: Opened, path: PlaylistPath, query: string): void => {
  const { presentation, sealed } = opened;
  const snapshot = seenThrough(presentation.snapshot(), path.cut);
  const track = findTrack(snapshot, path.track);
  if (!track || (path.list === 'keys' && track.kind !== 'video')) return exchange.problem(problems.noTrack);
  if (path.transport && !isCarried(snapshot, track)) return exchange.problem(problems.noTransport);
  if (path.transport && sealed && sealed.scheme !== 'aes-128') return exchange.problem(problems.noSealedTransport);
  if (!allowedHeight(track, exchange.maxHeight)) return exchange.problem(problems.height);
  if (path.transport || path.list === 'keys') return give(service, exchange, opened, path, { skip: false, lasting: false });

  const judged = judgeReload(snapshot, path.track, query);
  if (judged.kind === 'refuse') return exchange.problem({ status: judged.status, code: judged.code, detail: judged.message });
  const { skip } = judged;
  if (judged.kind === 'answer') return give(service, exchange, opened, path, { skip, lasting: judged.lasting });
  const wish = {
    key: `${path.cut?.name ?? ''} ${judged.key}`,
    deadlineMs: judged.deadlineMs,
    ready: (newer: PresentationSnapshot) => judged.ready(seenThrough(newer, path.cut)),
  };
  service.wait(exchange, presentation, wish, (there) => service.withKeys(exchange, path.video, opened, needsOfPlaylist(path), (now) => give(service, exchange, now, path, { skip, lasting: there })));
};

/** Keys of what is listed. */
export const needsOfPlaylist = (path: PlaylistPath): Needs => (sealed, whole) => {
  const snapshot = seenThrough(whole, path.cut);
  const track = findTrack(snapshot, path.track);
  const slots = track && listedSlots(sealed, snapshot, [track], isWhole(snapshot, path));
  return slots && sealed.ring.prepare(slots);
};

// Nobody watched a cut while it was live: it has no window that must not go back. Nor has who looks for a place.
const isWhole = ({ state }: PresentationSnapshot, { cut, list }: PlaylistPath): boolean => cut !== null || list === 'whole' || (list === 'keys' && state === 'ended');

const give = (service: Service, exchange: Exchange, { presentation, sealed }: Opened, path: PlaylistPath, { skip, lasting }: Given): void => {
  const snapshot = seenThrough(presentation.snapshot(), path.cut);
  const { cut, transport, track, list } = path;
  const ready = service.playlists.get(presentation, snapshot, {
    key: `${cut?.name ?? ''} ${transport ? 'ts' : ''} ${track} ${skip ? 'delta' : list}`,
    type: playlistType,
    rare: cut !== null,
    write: () => written(snapshot, sealed, path, skip),
  });
  if (!ready) return exchange.problem(problems.unknown);
  const encoding = exchange.encoding;
  const seconds = snapshot.state === 'ended' ? endedSeconds : lasting ? snapshot.policy.targetDuration : null;
  const keep = seconds === null ? cacheControl.changing(exchange.shared) : cacheControl.for(exchange.shared, seconds);
  service.whenKnown(exchange, ready.body(encoding), (body) => exchange.playlist(ready, encoding, body, keep));
};

const written = (snapshot: PresentationSnapshot, sealed: Protected | null, path: PlaylistPath, skip: boolean): string => {
  const { cut, transport, track, list } = path;
  const whole = isWhole(snapshot, path);
  if (transport) return tsMediaPlaylist(snapshot, track, { whole, sealed, ...(cut && { mediaBase: `../../../${transportFolder}/${track}/` }) });
  const request = { skip, whole, sealed, ...(cut && { mediaBase: `../../${track}/` }) };
  return list === 'keys' ? iframesPlaylist(snapshot, track, request) : mediaPlaylist(snapshot, track, request);
};
