/** Manifests that name everything else: HLS in fMP4 and in MPEG-TS, DASH, of a video, a cut of it, or what is live on a channel. */
import { randomUUID } from 'node:crypto';
import { fromLive, manifestName, timeAddress, timeAnswer } from '../../packager/dash/names.ts';
import { manifest } from '../../packager/dash/mpd.ts';
import { escapeXml } from '../../packager/dash/xml.ts';
import { multivariantPlaylist } from '../../packager/hls/multivariant.ts';
import { tsMultivariant, tsTracks } from '../../packager/hls/ts.ts';
import { transportFolder } from '../../packager/hls/ts-names.ts';
import { listedSlots, onlySlot, sessionSlot, slotsOf, type Protected } from '../../packager/protect/keys.ts';
import { keysFolder, licenceName } from '../../packager/protect/names.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import { seenThrough, type CutPath } from './cut.ts';
import type { Exchange } from './exchange.ts';
import { cacheControl, common } from './headers.ts';
import { playPrefix, type ManifestKind } from './path.ts';
import { manifestType, playlistType, type Wanted } from './playlists.ts';
import { problems } from './problem.ts';
import type { Needs, Opened, Service } from './service.ts';
import { parseStart } from './start.ts';
import type { Wish } from './waiters.ts';

export type ManifestAsk = {
  readonly of: ManifestKind;
  readonly grant: string;
  readonly video: string;
  /** It was asked for as what is live on a channel. */
  readonly ofChannel: boolean;
  /** Whoever asks may have key pictures, and HLS lists them. */
  readonly keyPictures: boolean;
  readonly cut: CutPath | null;
  readonly query: string;
};

/** Stands for the address of licences in what is written for all. Nobody knows it, so nothing else in a manifest is this. */
const licencePlace = randomUUID();
const endedSeconds = 60;
const multivariantSeconds = 10;

/** A manifest of DASH names every key; one of HLS only that with which players begin, and none where whole files are encrypted. */
export const needsOfManifest = ({ of, cut }: Pick<ManifestAsk, 'of' | 'cut'>): Needs => (sealed, whole) => {
  if (sealed.scheme !== 'cbcs' || of === 'ts') return null;
  if (of === 'hls') return sealed.ring.prepare(onlySlot(slotsOf(sealed, whole), sessionSlot(sealed, whole)));
  const snapshot = seenThrough(whole, cut);
  const slots = listedSlots(sealed, snapshot, snapshot.tracks, true);
  return slots && sealed.ring.prepare(slots);
};

/** Players read the list of renditions once: their encoder is waited for, so that what is listed can be had. */
const rungsWish: Wish = {
  key: 'rungs',
  deadlineMs: 3_000,
  ready: ({ state, tracks }) => state !== 'live' || !tracks.some(({ rung, epochs, endSegment }) => rung && endSegment === 0 && epochs.every(({ init }) => init.length === 0)),
};

export const giveManifest = (service: Service, exchange: Exchange, opened: Opened, ask: ManifestAsk): void =>
  service.waitAtMost(exchange, opened.presentation, rungsWish, (waited) => {
    const write = (now: Opened): void => writeManifest(service, exchange, now, ask);
    if (waited) service.withKeys(exchange, ask.video, opened, needsOfManifest(ask), write);
    else write(opened);
  });

const writeManifest = (service: Service, exchange: Exchange, opened: Opened, ask: ManifestAsk): void => {
  const { presentation, sealed } = opened;
  const { of, ofChannel, cut } = ask;
  const snapshot = seenThrough(presentation.snapshot(), cut);
  const ended = snapshot.state === 'ended';
  const start = of === 'dash' ? null : parseStart(ask.query);
  if (start === 'bad') return exchange.problem(problems.badStart);
  if (of === 'dash' && sealed && sealed.scheme !== 'cbcs') return exchange.problem(problems.noDash);
  if (of === 'ts' && sealed && sealed.scheme !== 'aes-128') return exchange.problem(problems.noSealedTransport);
  // A manifest must say how long a film is, and lists what nobody has to wait for.
  if (of === 'dash' && !ended && snapshot.policy.growing) return exchange.problem(problems.stillUploading);
  if (of === 'ts' && tsTracks(snapshot).length === 0) return exchange.problem(problems.noTransport);
  const wanted = of === 'dash' ? dash(snapshot, sealed, exchange, ask) : hls(snapshot, sealed, exchange, ask, start);
  const ready = service.playlists.get(presentation, snapshot, wanted);
  if (!ready) return exchange.problem(problems.notLiveYet);
  const encoding = exchange.encoding;
  // What is live on a channel may be something else in a moment, and a live MPD is another with every segment.
  const seconds = of !== 'dash' ? multivariantSeconds : ended ? endedSeconds : null;
  // By which name this server was reached is said by whoever asks: nobody else may be sent there for keys.
  const named = of === 'dash' && sealed !== null && !service.oneAddress;
  const shared = exchange.shared && !named;
  const keep = ofChannel || named || seconds === null ? cacheControl.changing(shared) : cacheControl.for(shared, seconds);
  service.whenKnown(exchange, ready.body(encoding), (body) => exchange.playlist(ready, encoding, body, keep));
};

const hls = (snapshot: PresentationSnapshot, sealed: Protected | null, { maxHeight }: Exchange, { of, video, ofChannel, keyPictures, cut }: ManifestAsk, start: number | null): Wanted => {
  const transport = of === 'ts';
  const base = !ofChannel ? '' : transport ? `../../${video}/${transportFolder}/` : `../${video}/`;
  const write = transport ? tsMultivariant : multivariantPlaylist;
  return {
    key: `${of} ${maxHeight} ${keyPictures} ${base} ${cut?.name ?? ''} ${start ?? ''}`,
    type: playlistType,
    rare: cut !== null || start !== null,
    write: () => write(snapshot, { base, maxHeight, start, keyPictures, keys: sealed && { sealed, toVideo: cut ? '../' : base } }),
  };
};

const dash = (snapshot: PresentationSnapshot, sealed: Protected | null, { maxHeight, base: reached }: Exchange, { grant, video, ofChannel, cut, query }: ManifestAsk): Wanted => {
  const base = ofChannel ? `../${video}/` : cut ? '../' : '';
  const licence = `${reached}${playPrefix}${grant}/${video}/${keysFolder}/${licenceName}`;
  const wasLive = snapshot.state === 'ended' && query.split('&').includes(fromLive);
  const ask = {
    ...{ base, maxHeight, wasLive },
    protection: sealed && { sealed, licence: licencePlace },
    // From its own address the show is read to its end, and beyond.
    ...(snapshot.state === 'live' && { location: `${ofChannel ? base : ''}${manifestName}?${fromLive}` }),
    ...(cut && { time: `../${timeAddress}` }),
  };
  return {
    key: `dash ${maxHeight} ${base} ${wasLive} ${cut?.name ?? ''}`,
    type: manifestType,
    rare: cut !== null,
    write: () => manifest(snapshot, ask),
    // Where licences are asked for says who asks.
    ...(sealed && { own: { place: licencePlace, text: escapeXml(licence) } }),
  };
};

/** Our clock, which DASH players set theirs by. */
export const giveTime = (exchange: Exchange, wallMs: number): void => {
  const body = Buffer.from(timeAnswer(wallMs));
  exchange.text(body, [...common, 'Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(body.length), 'Cache-Control', cacheControl.never]);
};
