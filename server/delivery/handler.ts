/**
 * Everything below /play/: the handler in front of the application's own. The order is what keeps it fast:
 * path, grant, hot cache, log, one write. Nothing here knows whether a presentation is live or has ended.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../packager/clock.ts';
import type { KeyProvider } from '../../packager/protect/keys.ts';
import type { RefusalCode } from '../auth/grant-refusals.ts';
import { clientAddresses, type AddressOf } from '../web/client-address.ts';
import { Downloads } from './downloads.ts';
import { Exchange, type ReachedAt, type RequestKind } from './exchange.ts';
import { giveKey, giveLicence } from './keys.ts';
import { giveLivePicture } from './live-picture.ts';
import { MadePictures } from './made-pictures.ts';
import { giveManifest, giveTime, needsOfManifest, type ManifestAsk } from './manifests.ts';
import { giveMedia } from './media.ts';
import { MediaFiles } from './media-files.ts';
import { givePlaylist, needsOfPlaylist } from './media-playlists.ts';
import { parsePlayPath, playPrefix, type PathVerdict, type PlayPath } from './path.ts';
import { Peers } from './peers.ts';
import { Playlists } from './playlists.ts';
import type { Audience, Gatekeeper, LivePictureSource, PictureSource, Presentations } from './presentation.ts';
import { problems, refusedGrant, type Problem } from './problem.ts';
import { Service, type Needs, type Opened } from './service.ts';
import { TransportSegments } from './transport.ts';
import { Waiters } from './waiters.ts';

export type DeliveryOptions = {
  readonly presentations: Presentations;
  readonly gatekeeper: Gatekeeper;
  readonly keys: KeyProvider;
  /** None, unless it is said. */
  readonly pictures?: LivePictureSource;
  readonly madePictures?: PictureSource;
  readonly reachedAt: ReachedAt;
  /** `reachedAt` says the same whoever asks; not, unless it is said. */
  readonly oneAddress?: boolean;
  readonly clock: Clock;
  /** Of whoever asks; the other end of the connection, unless it is said otherwise. */
  readonly addressOf?: AddressOf;
  /** RAM for media that is asked for again and again. */
  readonly cacheBytes: number;
  /** RAM that answers under way to slow peers may hold. */
  readonly heldBytes?: number;
  /** How long a peer may take for 256 KB before it is sent away. */
  readonly patienceMs?: number;
  /** Told of whatever somebody begins to play, as soon as he may: a manifest that says what there is. Takes no time. */
  readonly asked?: (video: string) => void;
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
  /** Segments in progress and downloads that are under way. */
  readonly flows: number;
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

export const createDelivery = (options: DeliveryOptions): Delivery => {
  const { presentations, gatekeeper, keys, pictures, clock, onError, reachedAt, asked = () => undefined, addressOf = clientAddresses([]) } = options;
  const requests = new Map<string, number>();
  const playlists = new Playlists();
  const files = new MediaFiles(options.cacheBytes);
  const waiters = new Waiters(clock);
  const peers = new Peers(clock, { patienceMs: options.patienceMs ?? 20_000, heldBytes: options.heldBytes ?? 256 * 1024 * 1024 });
  const service = new Service({ presentations, keys, playlists, files, waiters, oneAddress: options.oneAddress ?? false, onError });
  const transport = new TransportSegments(service);
  const downloads = new Downloads(service);
  const madePictures = new MadePictures(service, options.madePictures ?? null);
  let bytesSent = 0;

  presentations.onForgotten((video) => {
    files.forget(video);
    downloads.forget(video);
  });

  const tally = {
    answered(kind: RequestKind, status: number): void {
      const key = `${kind} ${status}`;
      requests.set(key, (requests.get(key) ?? 0) + 1);
    },
    sent(bytes: number): void {
      bytesSent += bytes;
    },
  };

  const handle = (request: IncomingMessage, response: ServerResponse): boolean => {
    const url = request.url ?? '';
    if (!url.startsWith(playPrefix)) return false;
    const exchange = new Exchange(request, response, { peers, tally, addressOf, reachedAt });
    service.guarded(exchange, () => {
      if (exchange.method === 'OPTIONS') return exchange.preflight();
      const mark = url.indexOf('?');
      const path = parsePlayPath(mark < 0 ? url : url.slice(0, mark));
      const asks = exchange.method === 'POST';
      if (asks && path.kind !== 'licence') return exchange.problem(problems.method);
      if (!asks && path.kind === 'licence') return exchange.problem(problems.licenceMethod);
      if (!asks && exchange.method !== 'GET' && exchange.method !== 'HEAD') return exchange.problem(problems.method);
      exchange.kind = kindOf(path);
      route(exchange, path, mark < 0 ? '' : url.slice(mark + 1));
    });
    return true;
  };

  const route = (exchange: Exchange, path: PathVerdict, query: string): void => {
    switch (path.kind) {
      case 'bad':
        return exchange.problem(problems.badPath);
      case 'unknown':
        return exchange.problem(problems.unknown);
      case 'time':
        return giveTime(exchange, clock.wall());
      case 'channel':
        return ofChannel(exchange, path, query);
      case 'manifest':
        return admitAndOpen(exchange, path, needsOfManifest(path), (opened) => {
          asked(path.video);
          manifest(exchange, opened, { ...path, ofChannel: false, query });
        });
      case 'playlist':
        return admitAndOpen(exchange, path.list === 'keys' ? { ...path, audience: 'pictures' } : path, needsOfPlaylist(path), (opened) => givePlaylist(service, exchange, opened, path, query), path.track);
      case 'media':
        return admit(exchange, askedOf(path), () => giveMedia(service, exchange, path));
      case 'transport':
        return admit(exchange, path, () => transport.give(exchange, path));
      case 'media-key':
        return admit(exchange, { ...path, audience: 'keys' }, () => giveKey(service, exchange, path.video, path.name));
      case 'licence':
        return admit(exchange, { ...path, audience: 'keys' }, () => giveLicence(service, exchange, path.video));
      case 'live-picture':
        return admit(exchange, { ...path, audience: 'pictures' }, () => giveLivePicture(exchange, pictures?.of(path.video) ?? null));
      case 'made-picture':
        return admit(exchange, { ...path, audience: path.name.kind === 'chapters' ? 'media' : 'pictures' }, () => madePictures.give(exchange, path, query));
      case 'download':
        return admit(exchange, path, () => downloads.give(exchange, path, query));
    }
  };

  const ofChannel = (exchange: Exchange, { of, grant, channel }: At<'channel'>, query: string): void =>
    service.whenKnown(exchange, presentations.liveOn(channel), (video) => {
      if (video === null) return exchange.problem(service.released ? problems.stopping : problems.notLive);
      const ask = { of, grant, video, ofChannel: true, cut: null, query };
      // What is live there and not for everybody is, without a grant, the same as nothing.
      admitAndOpen(exchange, { grant, video, otherwise: problems.notLive, hidden: true }, needsOfManifest(ask), (opened) => manifest(exchange, opened, ask));
    });

  /** What whoever asks may not have is not listed for him. */
  const manifest = (exchange: Exchange, opened: Opened, ask: Omit<ManifestAsk, 'keyPictures'>): void => {
    if (ask.of !== 'hls') return giveManifest(service, exchange, opened, { ...ask, keyPictures: false });
    service.whenKnown(exchange, gatekeeper.verdict(ask.grant, ask.video, 'pictures', exchange), ({ ok }) => giveManifest(service, exchange, opened, { ...ask, keyPictures: ok }));
  };

  const admit = (exchange: Exchange, { grant, video, otherwise = problems.unknown, audience = 'media', orElse, hidden = false }: Asked, next: () => void): void =>
    service.whenKnown(exchange, gatekeeper.verdict(grant, video, audience, exchange), (verdict) => {
      if (!verdict.ok && orElse && verdict.code === 'grant-other-audience') return admit(exchange, { grant, video, otherwise, audience: orElse }, next);
      if (!verdict.ok) return exchange.problem(verdict.status === 404 || (hidden && ofStrangers.has(verdict.code)) ? otherwise : refusedGrant(verdict.code));
      exchange.shared = verdict.shared;
      exchange.maxHeight = verdict.maxHeight;
      exchange.mayDownload = verdict.mayDownload;
      next();
    });

  const admitAndOpen = (exchange: Exchange, asked: Asked, needs: Needs, next: (opened: Opened) => void, track?: string): void =>
    admit(exchange, asked, () => service.open(exchange, asked.video, needs, next, track));

  return {
    handle,
    release: () => service.release(),
    stats: () => ({
      requests,
      bytesSent,
      waiters: waiters.count,
      wakes: waiters.wakes,
      playlistsWritten: playlists.written,
      cache: files.stats,
      flows: peers.flows,
      slowPeers: { sending: peers.sending, heldBytes: peers.held, dropped: peers.dropped },
    }),
  };
};

/**
 * `otherwise`: what to say where there is nothing for whoever asks. `orElse`: a grant for these does as well. `hidden`: whoever
 * has no grant of this video must not learn that it is there, as he would if a made-up one were refused otherwise than where nothing is.
 */
type Asked = { readonly grant: string; readonly video: string; readonly otherwise?: Problem; readonly audience?: Audience; readonly orElse?: Audience; readonly hidden?: boolean };

const ofStrangers: ReadonlySet<string> = new Set<RefusalCode>(['grant-malformed', 'grant-signature', 'grant-key-unknown', 'grant-other-video']);

/** Key pictures have doors of their own, and so nobody who has them alone is kept from what they begin with. */
const askedOf = (path: At<'media'>): Asked => {
  if (path.name.kind === 'key') return { ...path, audience: 'pictures' };
  return path.name.kind === 'init' ? { ...path, orElse: 'pictures' } : path;
};

/** What the answer is counted as. */
const kindOf = (path: PathVerdict): RequestKind => {
  switch (path.kind) {
    case 'manifest':
    case 'channel':
      return manifestKinds[path.of];
    case 'playlist':
      return path.transport ? 'ts-playlist' : path.list === 'keys' ? 'keys' : 'playlist';
    case 'media':
      return path.name.kind;
    case 'transport':
      return 'ts-segment';
    case 'time':
    case 'download':
    case 'media-key':
    case 'licence':
    case 'live-picture':
    case 'made-picture':
      return path.kind;
    default:
      return 'other';
  }
};

const manifestKinds = { hls: 'multivariant', ts: 'ts-multivariant', dash: 'manifest' } as const;
