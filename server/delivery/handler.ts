/**
 * Everything below /play/: the handler in front of the application's own. The order is what keeps it fast:
 * path, grant, hot cache, log, one write. Nothing here knows whether a presentation is live or has ended.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../packager/clock.ts';
import { mediaPlaylist } from '../../packager/hls/media.ts';
import { allowedHeight, multivariantPlaylist } from '../../packager/hls/multivariant.ts';
import { judgeReload, longestHold } from '../../packager/hls/reload.ts';
import { findTrack } from '../../packager/hls/window.ts';
import { Exchange } from './exchange.ts';
import { cacheControl } from './headers.ts';
import { findMedia, MediaFiles, readProblem } from './media-files.ts';
import { parsePlayPath, playPrefix, type PlayPath } from './path.ts';
import { Peers } from './peers.ts';
import { Playlists } from './playlists.ts';
import type { Gatekeeper, Presentation, Presentations } from './presentation.ts';
import { problems } from './problem.ts';
import { Waiters, type Wish } from './waiters.ts';

export type DeliveryOptions = {
  readonly presentations: Presentations;
  readonly gatekeeper: Gatekeeper;
  readonly clock: Clock;
  /** RAM for media that is asked for again and again. */
  readonly cacheBytes: number;
  /** RAM that answers under way to slow peers may hold. */
  readonly heldBytes?: number;
  /** How long a peer may take for 256 KB before it is sent away. */
  readonly patienceMs?: number;
  /** Told of whatever should not have happened. */
  readonly onError: (error: unknown) => void;
};

export type DeliveryStats = {
  /** By kind and status: `part 200`. */
  readonly requests: ReadonlyMap<string, number>;
  readonly bytesSent: number;
  readonly waiters: number;
  readonly wakes: number;
  readonly playlistsWritten: number;
  readonly cache: { readonly hits: number; readonly misses: number; readonly bytes: number; readonly files: number };
  readonly slowPeers: { readonly sending: number; readonly heldBytes: number; readonly dropped: number };
};

export interface Delivery {
  /** True: the address is below /play/, and has been or will be answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** The server is stopping: whoever waits is answered with what there is, and nobody waits any more. */
  release(): void;
  stats(): DeliveryStats;
}

type At<Kind extends PlayPath['kind']> = Extract<PlayPath, { kind: Kind }>;

const endedSeconds = 60;
const multivariantSeconds = 10;

export const createDelivery = (options: DeliveryOptions): Delivery => {
  const { presentations, gatekeeper, clock, onError } = options;
  const requests = new Map<string, number>();
  const playlists = new Playlists();
  const files = new MediaFiles(options.cacheBytes);
  const waiters = new Waiters(clock);
  const peers = new Peers(clock, { patienceMs: options.patienceMs ?? 20_000, heldBytes: options.heldBytes ?? 256 * 1024 * 1024 });
  let bytesSent = 0;
  let released = false;

  const tally = (kind: string, status: number, bytes: number): void => {
    const key = `${kind} ${status}`;
    requests.set(key, (requests.get(key) ?? 0) + 1);
    bytesSent += bytes;
  };

  /** Goes on at once with what is known at once: only what is opened or looked up for the first time costs a promise. */
  const whenKnown = <Value>(exchange: Exchange, value: Value | Promise<Value>, next: (value: Value) => void): void => {
    if (value instanceof Promise) void onceKnown(exchange, value, next);
    else next(value);
  };

  const onceKnown = async <Value>(exchange: Exchange, value: Promise<Value>, next: (value: Value) => void): Promise<void> => {
    try {
      next(await value);
    } catch (error) {
      fail(exchange, error);
    }
  };

  const fail = (exchange: Exchange, error: unknown): void => {
    const known = readProblem(error);
    // That media is gone is everyday; that the disk failed is the operator's business as well.
    if (known !== problems.gone && known !== problems.notYet) onError(error);
    if (known && !exchange.over) exchange.problem(known);
    else exchange.broken();
  };

  /** Something that was begun in a later turn must not throw out of it. */
  const guarded = (exchange: Exchange, run: () => void): void => {
    try {
      run();
    } catch (error) {
      fail(exchange, error);
    }
  };

  const handle = (request: IncomingMessage, response: ServerResponse): boolean => {
    const url = request.url ?? '';
    if (!url.startsWith(playPrefix)) return false;
    const exchange = new Exchange(request, response, peers, tally);
    guarded(exchange, () => {
      if (exchange.method === 'OPTIONS') return exchange.preflight();
      if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return exchange.problem(problems.method);
      const mark = url.indexOf('?');
      const path = parsePlayPath(mark < 0 ? url : url.slice(0, mark));
      route(exchange, path, mark < 0 ? '' : url.slice(mark + 1));
    });
    return true;
  };

  const route = (exchange: Exchange, path: ReturnType<typeof parsePlayPath>, query: string): void => {
    switch (path.kind) {
      case 'bad':
        return exchange.problem(problems.badPath);
      case 'unknown':
        return exchange.problem(problems.unknown);
      case 'channel':
        exchange.kind = 'multivariant';
        return whenKnown(exchange, presentations.liveOn(path.channel), (video) => {
          if (video === null) return exchange.problem(released ? problems.stopping : problems.notLive);
          admitAndOpen(exchange, path.grant, video, (found) => multivariant(exchange, found, `../${video}/`));
        });
      case 'multivariant':
        exchange.kind = 'multivariant';
        return admitAndOpen(exchange, path.grant, path.video, (found) => multivariant(exchange, found, ''));
      case 'playlist':
        exchange.kind = 'playlist';
        return admitAndOpen(exchange, path.grant, path.video, (found) => playlist(exchange, found, path, query));
      case 'media':
        exchange.kind = path.name.kind;
        return admit(exchange, path.grant, path.video, () => media(exchange, path));
    }
  };

  const admit = (exchange: Exchange, grant: string, video: string, next: () => void): void =>
    whenKnown(exchange, gatekeeper.verdict(grant, video, 'media'), (verdict) => {
      if (!verdict.ok) {
        const detail = verdict.status === 403 ? 'This grant does not open this video.' : problems.unknown.detail;
        return exchange.problem({ status: verdict.status, code: verdict.code, detail });
      }
      exchange.shared = verdict.shared;
      exchange.maxHeight = verdict.maxHeight;
      next();
    });

  const open = (exchange: Exchange, video: string, next: (found: Presentation) => void): void =>
    whenKnown(exchange, presentations.find(video), (found) => (found ? next(found) : exchange.problem(released ? problems.stopping : problems.notLiveYet)));

  const admitAndOpen = (exchange: Exchange, grant: string, video: string, next: (found: Presentation) => void): void =>
    admit(exchange, grant, video, () => open(exchange, video, next));

  const multivariant = (exchange: Exchange, presentation: Presentation, base: string): void => {
    const snapshot = presentation.snapshot();
    const { maxHeight } = exchange;
    const write = (): string => multivariantPlaylist(snapshot, { base, maxHeight });
    const ready = playlists.get(presentation, snapshot, `master ${maxHeight} ${base}`, write);
    const encoding = exchange.encoding;
    // What is live on a channel may be something else in a moment.
    const keep = base === '' ? cacheControl.for(exchange.shared, multivariantSeconds) : cacheControl.changing;
    whenKnown(exchange, ready.body(encoding), (body) => exchange.playlist(ready, encoding, body, keep));
  };

  const playlist = (exchange: Exchange, presentation: Presentation, path: At<'playlist'>, query: string): void => {
    const snapshot = presentation.snapshot();
    const track = findTrack(snapshot, path.track);
    if (!track) return exchange.problem(problems.noTrack);
    if (!allowedHeight(track, exchange.maxHeight)) return exchange.problem(problems.height);
    const judged = judgeReload(snapshot, path.track, query);
    if (judged.kind === 'refuse') return exchange.problem({ status: judged.status, code: judged.code, detail: judged.message });
    const { skip } = judged;
    if (judged.kind === 'answer') return givePlaylist(exchange, presentation, path, skip, judged.lasting);
    wait(exchange, presentation, judged, (asked) => givePlaylist(exchange, presentation, path, skip, asked));
  };

  const givePlaylist = (exchange: Exchange, presentation: Presentation, { track, whole }: At<'playlist'>, skip: boolean, lasting: boolean): void => {
    const snapshot = presentation.snapshot();
    const write = (): string => mediaPlaylist(snapshot, track, { skip, whole });
    const ready = playlists.get(presentation, snapshot, `${track} ${skip ? 'delta' : 'full'} ${whole}`, write);
    const encoding = exchange.encoding;
    const seconds = snapshot.state === 'ended' ? endedSeconds : lasting ? snapshot.policy.targetDuration : null;
    const keep = seconds === null ? cacheControl.changing : cacheControl.for(exchange.shared, seconds);
    whenKnown(exchange, ready.body(encoding), (body) => exchange.playlist(ready, encoding, body, keep));
  };

  /** `next` is told whether what was waited for is there; too late is a 503. */
  const wait = (exchange: Exchange, presentation: Presentation, wish: Wish, next: (there: boolean) => void): void => {
    if (released) return next(false);
    const leave = waiters.wait(presentation, wish, (why) =>
      guarded(exchange, () => (why === 'late' ? exchange.problem(problems.heldTooLong) : next(why === 'ready'))),
    );
    exchange.onClose(leave);
  };

  const media = (exchange: Exchange, path: At<'media'>): void => {
    const key = `${path.video}/${path.track}/${path.file}`;
    // Whoever may see only up to a height is held to it below, where the track is known.
    const known = exchange.maxHeight === null ? files.cached(key) : undefined;
    if (known) return exchange.media(known);
    open(exchange, path.video, (found) => mediaOf(exchange, found, path, key, true));
  };

  const mediaOf = (exchange: Exchange, presentation: Presentation, path: At<'media'>, key: string, mayWait: boolean): void => {
    const snapshot = presentation.snapshot();
    const track = findTrack(snapshot, path.track);
    if (!track) return exchange.problem(problems.noTrack);
    if (!allowedHeight(track, exchange.maxHeight)) return exchange.problem(problems.height);
    const known = files.cached(key);
    if (known) return exchange.media(known);
    const found = findMedia(snapshot, track, path.name);
    switch (found.kind) {
      case 'problem':
        return exchange.problem(found.problem);
      case 'bytes':
        return exchange.media(files.keep(key, track, found.bytes));
      case 'log': {
        const reader = presentation.reader(track.id);
        if (!reader) return exchange.problem(problems.gone);
        const { from, to, eager } = found;
        return whenKnown(exchange, files.read(key, track, reader, from, to, eager), (file) => exchange.media(file));
      }
      case 'soon': {
        if (!mayWait) return exchange.problem(problems.notYet);
        // Held until all of it is there, so that it comes at line rate and says something about the line.
        const ready: Wish['ready'] = (newer) => {
          const now = findTrack(newer, path.track);
          return !now || findMedia(newer, now, path.name).kind !== 'soon';
        };
        const wish = { key: `media ${path.track}/${path.file}`, ready, deadlineMs: longestHold(snapshot) };
        return wait(exchange, presentation, wish, () => mediaOf(exchange, presentation, path, key, false));
      }
    }
  };

  return {
    handle,
    release() {
      released = true;
      waiters.release();
    },
    stats: () => ({
      requests,
      bytesSent,
      waiters: waiters.count,
      wakes: waiters.wakes,
      playlistsWritten: playlists.written,
      cache: files.stats,
      slowPeers: { sending: peers.sending, heldBytes: peers.held, dropped: peers.dropped },
    }),
  };
};
