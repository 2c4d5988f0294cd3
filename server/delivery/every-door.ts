/** For tests: a server with real grants in front of real media under every protection, and the address of everything that it gives. */
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { clipFile, clipOf, record, type Recorded } from '../../packager/mpegts/recorded.ts';
import type { Scheme } from '../../packager/protect/keys.ts';
import { createGatekeeper } from '../auth/gatekeeper.ts';
import { GrantKeys } from '../auth/grant-keys.ts';
import { Grants, type GrantWish } from '../auth/grants.ts';
import { Viewings, type StreamLimits } from '../auth/viewings.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { channelOf, liveOn, quiet, someAccount, testFolder } from '../catalog/testing.ts';
import type { VideoRow } from '../catalog/videos.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import { internalKeys } from '../keys/internal-keys.ts';
import { KeyRings } from '../keys/rings.ts';
import { clientAddresses } from '../web/client-address.ts';
import { recordedPresentation } from './fake-presentation.ts';
import type { Audience, PictureSource } from './presentation.ts';
import { TestServer, type Answer } from './test-server.ts';

export type Who = { readonly address?: string; readonly agent?: string };
export type Door = {
  readonly name: string;
  readonly video: string;
  readonly audience: Audience;
  /** Below `/play/<grant>/`. */
  readonly path: string;
  readonly kids?: readonly string[];
  /** A picture, which some may have only up to a height. */
  readonly picture?: boolean;
  readonly download?: boolean;
  /** It takes one of the places that there are. */
  readonly media?: boolean;
  /** Whoever has no grant of the video is told that nothing is live. */
  readonly channel?: boolean;
};

const clip = await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=2'));
const going = await record([{ clip, until: 9_000 }, { clip, until: 6_000 }], { end: false, captions: ['ko'] });
const ended = await record([{ clip, until: 6_000 }], { captions: ['ko'] });
export const height = 90;

const open: GrantWish = { label: '', expiresAt: null, notBefore: null, audiences: ['media', 'pictures', 'keys'], networks: [], rules: [], device: null, maxHeight: null, mayDownload: true, streams: null, viewer: null };

const under = (video: string, scheme: Scheme | null, { snapshot, ...rest }: Recorded): Recorded => ({
  ...rest,
  snapshot: { ...snapshot, video, policy: { ...snapshot.policy, ...(scheme && { protection: scheme }) } },
});

/** All that can be made of a video. */
const everyPicture: PictureSource = { find: (_video, { kind }) => ({ type: 'image/jpeg', height: kind === 'chapters' ? null : height, version: 'ab12', read: async () => Buffer.from(`what was made: ${kind}`) }) };

export const openHouse = async (t: Test, limits: StreamLimits = { perAccount: 0, whenFull: 'refuse-new' }) => {
  // Fewer hours past midnight than there are in a grant, so that nothing hangs on the date.
  const clock = new FakeClock(Date.UTC(2026, 10, 20, 3));
  const folder = await testFolder(t);
  const catalog = await openCatalog({ folder, clock, log: quiet, onFault: (error) => t.fail(String(error)) });
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  const keys = await GrantKeys.open({ store: catalog.grantKeys, clock, signsForMs: 365 * 86_400_000, failed: (error) => t.fail(String(error)) });
  const viewings = new Viewings(clock, limits);
  const grants = new Grants({ ...catalog, keys, viewings, events, clock });
  const gatekeeper = createGatekeeper(catalog.videos, events, grants);
  events.start();
  const mediaKeys = new KeyRings({ source: internalKeys({ secrets: catalog.mediaSecrets, segmentsPerKey: 3 }), clock, failed: (_, error) => t.fail(String(error)) });
  const server = await TestServer.start({ gatekeeper, clock, keys: mediaKeys, pictures: { of: () => ({ bytes: Buffer.from('a picture of what is live'), height, version: 'ab12' }) }, madePictures: everyPicture, addressOf: clientAddresses(['127.0.0.0/8']), onError: (error) => t.fail(String(error)) });
  t.teardown(async () => {
    await server.stop();
    keys.stop();
    await events.stop();
    await catalog.close();
  });

  const owner = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(owner));
  const add = async (recorded: Recorded, scheme: Scheme | null): Promise<VideoRow> => {
    const video = await catalog.videos.createLive(liveOn(channel.id, owner, { visibility: 'private' }));
    await catalog.videos.endLive(video.id, { endedAt: 2, durationMs: 1, bytes: 1, state: 'ready' });
    server.presentations.videos.set(video.id, recordedPresentation(under(video.id, scheme, recorded)));
    return video;
  };
  const videos = { live: await add(going, 'aes-128'), cbcs: await add(ended, 'cbcs'), clear: await add(ended, null) };
  server.presentations.live.set('mill', videos.live.id);
  await events.settled();

  const issue = async (video: VideoRow, change: Partial<GrantWish> = {}, by = owner): Promise<{ text: string; id: string }> => {
    const made = await grants.issue({ kind: 'video', id: video.id }, by, { ...open, ...change });
    if (made.kind !== 'made') throw new Error(made.kind);
    return { text: made.text, id: made.grant.id };
  };
  /** Of a channel on which none of this is. */
  const { channel: elsewhere } = await catalog.channels.create(channelOf(owner));
  const issueElsewhere = async (change: Partial<GrantWish> = {}): Promise<{ text: string; id: string }> => {
    const made = await grants.issue({ kind: 'channel', id: elsewhere.id }, owner, { ...open, ...change });
    if (made.kind !== 'made') throw new Error(made.kind);
    return { text: made.text, id: made.grant.id };
  };
  const logIn = async (account: string): Promise<string> => (await catalog.sessions.create(account, { userAgent: '', address: '' })).session.id;
  const own = (video: VideoRow, accountId: string, role: 'creator' | 'admin', sessionId: string): string => grants.mint(video, { accountId, role, sessionId })?.text ?? 'none was made';

  const ask = (grant: string, { path, kids }: Door, { address = '192.0.2.9', agent = 'a player' }: Who = {}, headers: Record<string, string> = {}, method = kids ? 'POST' : 'GET'): Promise<Answer> =>
    server.ask(`/play/${grant}/${path}`, { method, headers: { 'x-forwarded-for': address, 'user-agent': agent, ...headers }, ...(kids && { body: JSON.stringify({ kids }) }) });
  const doors = [...doorsOf(videos.live.id, 'live', going), ...doorsOf(videos.cbcs.id, 'cbcs', ended), ...doorsOf(videos.clear.id, 'clear', ended)];
  const withKeys = await Promise.all(
    [videos.live, videos.cbcs].map(async ({ id }) => {
      const { kid } = (await mediaKeys.ringOf(id)).key(0);
      const of = { video: id, audience: 'keys', media: true } as const;
      const key: Door = { ...of, name: 'key', path: `${id}/keys/${kid.toString('hex')}` };
      return [key, { ...of, name: 'licence', path: `${id}/keys/licence`, kids: [kid.toString('base64url')] }];
    }),
  );
  const nobodys = randomBytes(16);
  const noKeys: readonly Door[] = [videos.live, videos.cbcs, videos.clear].flatMap(({ id }) => [
    { name: 'a key that nobody has', video: id, audience: 'keys', path: `${id}/keys/${nobodys.toString('hex')}` },
    { name: 'a licence for it', video: id, audience: 'keys', path: `${id}/keys/licence`, kids: [nobodys.toString('base64url')] },
  ]);
  return { clock, catalog, events, keys, viewings, grants, server, owner, videos, elsewhere, issue, issueElsewhere, logIn, own, ask, doors: [...doors, ...withKeys.flat()], noKeys };
};

export type House = Awaited<ReturnType<typeof openHouse>>;

/** One of each kind. */
const doorsOf = (video: string, of: 'live' | 'cbcs' | 'clear', { snapshot }: Recorded): Door[] => {
  const { run, tracks } = snapshot;
  const part = tracks.find(({ id }) => id === 'v0')?.open;
  const list = of === 'live' ? 'index' : 'whole';
  const door = (name: string, below: string, more: Partial<Door> = {}): Door => ({ name: `${of}: ${name}`, video, audience: 'media', path: `${video}/${below}`, ...more });
  const picture = { picture: true };
  const media = { media: true };
  const pictures = { picture: true, audience: 'pictures' } as const;
  const both = [
    door('multivariant playlist', 'master.m3u8'),
    door('playlist of pictures', `v0/${list}.m3u8`, picture),
    door('playlist of sound', `a0/${list}.m3u8`),
    door('playlist of captions', `t0/${list}.m3u8`),
    door('playlist of key pictures', 'v0/iframes.m3u8', pictures),
    door('live picture', 'picture.jpg', pictures),
    ...['poster.jpg', 'poster-0.jpg', 'storyboard.vtt', 'storyboard-0.jpg', 'preview.webp'].flatMap((name) => [door(name, `${name}?v=ab12`, pictures), door(`${name} without its version`, name, pictures)]),
    door('chapters', 'chapters.vtt?v=ab12'),
    door('init segment', `v0/${run}-i0${of === 'cbcs' ? '-0' : ''}.mp4`, { ...picture, ...media }),
    door('segment', `v0/${run}-1.m4s`, { ...picture, ...media }),
    door('segment of sound', `a0/${run}-1.m4s`, media),
    door('captions', `t0/${run}-1.vtt`, media),
    door('captions in a box', `t0/${run}-1.m4s`, media),
    door('key picture', `v0/${run}-k1.m4s`, { ...pictures, ...media }),
    door('playlist of a cut', 'cut-1000-4000/master.m3u8'),
  ];
  const dash = [door('MPD', 'manifest.mpd'), door('MPD of a cut', 'cut-1000-4000/manifest.mpd')];
  const transport = [door('TS multivariant playlist', 'ts/master.m3u8'), door('TS playlist', `ts/v0/${list}.m3u8`, picture), door('TS segment', `ts/v0/${run}-1.ts`, { ...picture, ...media })];
  if (of === 'cbcs') return [...both, ...dash];
  if (of === 'clear') return [...both, ...dash, ...transport, door('download', `mp4/${run}-v0-a0.mp4`, { ...picture, ...media, download: true })];
  return [
    ...both,
    ...transport,
    door('playlist that is waited for', `v0/index.m3u8?_HLS_msn=${part?.msn}&_HLS_part=0`, picture),
    door('delta', 'v0/index.m3u8?_HLS_skip=YES', picture),
    door('part', `v0/${run}-${part?.msn}-0.m4s`, { ...picture, ...media }),
    { ...door('channel', ''), path: '@mill/master.m3u8', channel: true },
    { ...door('channel in TS', ''), path: '@mill/ts/master.m3u8', channel: true },
  ];
};
