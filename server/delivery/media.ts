/**
 * Media by its name: out of the hot cache, else out of the log by way of the snapshot. What comes next is waited for;
 * a segment in progress is sent as it comes.
 */
import { allowedHeight } from '../../packager/hls/multivariant.ts';
import { longestHold } from '../../packager/hls/reload.ts';
import { findTrack } from '../../packager/hls/window.ts';
import type { Exchange } from './exchange.ts';
import { findMedia } from './find-media.ts';
import { sendOpenSegment } from './open-segment.ts';
import type { PlayPath } from './path.ts';
import { problems } from './problem.ts';
import { sealedMedia, slotsOfMedia } from './sealing.ts';
import type { Needs, Opened, Service } from './service.ts';
import type { Wish } from './waiters.ts';

export type MediaPath = Extract<PlayPath, { kind: 'media' }>;

export const giveMedia = (service: Service, exchange: Exchange, path: MediaPath): void => {
  const key = `${path.video}/${path.track}/${path.file}`;
  // Whoever may see only up to a height is held to it below, where the track is known.
  const known = exchange.maxHeight === null ? service.files.cached(key) : undefined;
  if (known) return exchange.media(known);
  service.open(exchange, path.video, needsOf(path), (opened) => fromPresentation(service, exchange, opened, path, key, true), path.track);
};

const needsOf = ({ track, name }: MediaPath): Needs => (sealed, snapshot) => {
  const slots = slotsOfMedia(sealed, snapshot, findTrack(snapshot, track), name);
  return slots && sealed.ring.prepare(slots);
};

const fromPresentation = (service: Service, exchange: Exchange, opened: Opened, path: MediaPath, key: string, mayWait: boolean): void => {
  const { presentation, sealed } = opened;
  const { files } = service;
  const snapshot = presentation.snapshot();
  const track = findTrack(snapshot, path.track);
  if (!track) return exchange.problem(problems.noTrack);
  if (!allowedHeight(track, exchange.maxHeight)) return exchange.problem(problems.height);
  const known = files.cached(key);
  if (known) return exchange.media(known);
  const clear = findMedia(snapshot, track, path.name);
  const found = sealed ? sealedMedia(clear, sealed, snapshot, track, path.name) : clear;
  switch (found.kind) {
    case 'problem':
      return exchange.problem(found.problem);
    case 'bytes':
      return exchange.media(files.keep(key, found.type, found.bytes));
    case 'log': {
      const reader = presentation.reader(track.id);
      if (!reader) return exchange.problem(problems.gone);
      return service.whenKnown(exchange, files.read(key, found, reader), (file) => exchange.media(file));
    }
    case 'open':
      return service.later(exchange, () => sendOpenSegment(service, exchange, presentation, path, found));
    case 'soon': {
      if (!mayWait) return exchange.problem(problems.notYet);
      // A part is held until all of it is there, so that it comes at line rate and says something about the line.
      const ready: Wish['ready'] = (newer) => {
        const now = findTrack(newer, path.track);
        return !now || findMedia(newer, now, path.name).kind !== 'soon';
      };
      const wish = { key: `media ${path.track}/${path.file}`, ready, deadlineMs: longestHold(snapshot) };
      return service.wait(exchange, presentation, wish, () => service.withKeys(exchange, path.video, opened, needsOf(path), (now) => fromPresentation(service, exchange, now, path, key, false)));
    }
  }
};
