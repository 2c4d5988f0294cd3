/** Every door below /play/ and everybody who has no right to it: each is refused by his own code, nowhere is a byte of media, and nobody keeps the no. */
import { createHmac } from 'node:crypto';
import t, { type Test } from 'tap';
import { someAccount } from '../catalog/testing.ts';
import type { VideoRow } from '../catalog/videos.ts';
import { deviceMark } from '../auth/grant-use.ts';
import { silenceMs } from '../auth/viewings.ts';
import { height, openHouse, type Door, type House, type Who } from './every-door.ts';
import type { Audience } from './presentation.ts';
import type { Answer } from './test-server.ts';

type Stranger = {
  readonly name: string;
  /** His grant of a video. */
  readonly grant: (video: VideoRow) => Promise<string> | string;
  readonly who?: Who;
  /** Null: this door he may pass. */
  readonly code: string | ((door: Door) => string | null);
};

/** Ways to ask by which more might be given, or another cache be believed. */
const tricks = { 'if-none-match': '*', range: 'bytes=0-', 'cache-control': 'only-if-cached', 'x-original-url': '/play/-/x', authorization: 'Bearer x', cookie: 'session=x' };

const problemFields = 'code,detail,status,title,type';
const notFounds: ReadonlySet<string> = new Set(['not-found', 'not-live', 'no-such-key']);

/** Empty: refused with this code, in a small document that nobody keeps, and nothing else. */
const faultsOf = ({ status, headers, text }: Answer, code: string): string[] => {
  const said = (headers['content-type'] === 'application/problem+json' ? JSON.parse(text) : {}) as Record<string, unknown>;
  const facts: [string, unknown, unknown][] = [
    ['status', status, notFounds.has(code) ? 404 : 403],
    ['code', said['code'], code],
    ['fields', Object.keys(said).toSorted().join(), problemFields],
    ['cache-control', headers['cache-control'], 'no-store'],
    ['access-control-allow-origin', headers['access-control-allow-origin'], '*'],
    ...['etag', 'content-range', 'accept-ranges', 'last-modified'].map((name): [string, unknown, unknown] => [name, headers[name], undefined]),
  ];
  return facts.flatMap(([what, is, should]) => (is === should ? [] : [`${what} is ${String(is)}, not ${String(should)}`]));
};

/** What a stranger at a door was given that he should not have been. */
const tryOne = async ({ ask }: House, grant: string, door: Door, { who, code }: Stranger, again: boolean): Promise<string[]> => {
  const why = typeof code === 'string' ? code : code(door);
  const said = door.channel && strangersToAll.has(why ?? '') ? 'not-live' : why;
  const faults: string[] = [];
  const answer = await ask(grant, door, who, again ? tricks : {});
  if (said !== null) faults.push(...faultsOf(answer, said));
  else if (![200, 206, 304].includes(answer.status)) faults.push(`status is ${answer.status}`);
  if (said === null || door.kids || !again) return faults;
  const { status, body, headers } = await ask(grant, door, who, {}, 'HEAD');
  if (status !== (notFounds.has(said) ? 404 : 403) || body.length > 0 || headers['cache-control'] !== 'no-store') faults.push(`HEAD gave ${status}`);
  return faults;
};

/** All strangers at all doors; `again`: by tricks, and by HEAD. */
const tryAll = async (t: Test, house: House, strangers: readonly Stranger[], when: string, again = true): Promise<void> => {
  const { doors, videos } = house;
  for (const stranger of strangers) {
    const grants = new Map(await Promise.all(Object.values(videos).map(async (video) => [video.id, await stranger.grant(video)] as const)));
    const faults = await Promise.all(doors.map(async (door) => (await tryOne(house, grants.get(door.video) ?? '', door, stranger, again)).map((fault) => `${door.name}: ${fault}`)));
    t.same(faults.flat(), [], `${stranger.name}, ${when}: ${doors.length} doors`);
  }
};

/** What whoever has the right gets, and what may be kept of it by whom. */
const passAll = async (t: Test, { doors, ask }: House, grant: (door: Door) => string): Promise<void> => {
  await Promise.all(
    doors.map(async (door) => {
      const { status, headers, body } = await ask(grant(door), door);
      t.ok(status === 200 && body.length > 0, `${door.name} is there: ${status}`);
      if (door.audience === 'keys') t.equal(headers['cache-control'], 'no-store', door.name);
      else t.match(headers['cache-control'], /^private, /, door.name);
    }),
  );
};

const forged = (grant: string): string => {
  const facts = Buffer.from(grant, 'base64url').subarray(0, -16);
  return Buffer.concat([facts, createHmac('sha256', 'another key').update(facts).digest().subarray(0, 16)]).toString('base64url');
};
/** Whoever has none of this video’s is told of its channel what is said when nothing is live. */
const strangersToAll: ReadonlySet<string> = new Set(['not-found', 'grant-malformed', 'grant-signature', 'grant-key-unknown', 'grant-other-video']);
const audienceOnly = (audience: Audience) => ({ audience: mine, path }: Door): string | null =>
  // Init segments are for whoever may have key pictures as well, who could not show them otherwise.
  mine === audience || (audience === 'pictures' && /-i[\d-]+\.mp4$/.test(path)) ? null : 'grant-other-audience';

t.test('nobody who has no right passes any door, before it was opened for somebody and after', async (t) => {
  const house = await openHouse(t);
  const { clock, catalog, events, keys, owner, videos, elsewhere, issue, issueElsewhere, logIn, own, ask, doors, noKeys } = house;
  const good = new Map(await Promise.all(Object.values(videos).map(async (video) => [video.id, (await issue(video)).text] as const)));
  const of = (video: VideoRow): string => good.get(video.id) ?? '';
  const with_ = (change: Parameters<typeof issue>[1]) => async (video: VideoRow) => (await issue(video, change)).text;
  const now = clock.wall();

  // Those whose grants were good once.
  const perVideo = async (make: (video: VideoRow) => Promise<string>): Promise<(video: VideoRow) => string> => {
    const made = new Map(await Promise.all(Object.values(videos).map(async (video) => [video.id, await make(video)] as const)));
    return ({ id }) => made.get(id) ?? '';
  };
  const brief = await perVideo(with_({ expiresAt: now + 60_000 }));
  const taken = await perVideo(async (video) => {
    const { text, id } = await issue(video);
    await catalog.grants.revoke({ kind: 'video', id: video.id }, id);
    return text;
  });
  const briefElsewhere = (await issueElsewhere({ expiresAt: now + 60_000 })).text;
  const takenElsewhere = await issueElsewhere();
  await catalog.grants.revoke({ kind: 'channel', id: elsewhere.id }, takenElsewhere.id);
  const session = await logIn(owner);
  const signedOut = await perVideo(async (video) => own(video, owner, 'creator', session));
  const other = await logIn(owner);
  const locked = await perVideo(async (video) => own(video, owner, 'creator', other));
  const admin = await someAccount(catalog, 'admin');
  await someAccount(catalog, 'admin');
  const atWork = await logIn(admin);
  const demoted = await perVideo(async (video) => own(video, admin, 'admin', atWork));
  const handedByDemoted = await perVideo(async (video) => (await issue(video, {}, admin)).text);
  const gone = await someAccount(catalog, 'admin');
  const last = await logIn(gone);
  const ofGone = await perVideo(async (video) => own(video, gone, 'admin', last));
  const handedByGone = await perVideo(async (video) => (await issue(video, {}, gone)).text);
  const ofOldKey = await perVideo(with_({}));
  for (const text of [brief, taken, signedOut, locked, demoted, handedByDemoted, ofGone, handedByGone, ofOldKey].map((grant) => grant(videos.clear))) {
    const door = doors.find(({ video }) => video === videos.clear.id);
    if (door && text !== taken(videos.clear)) t.equal((await ask(text, door)).status, 200, 'it was good');
  }
  await catalog.sessions.end(session, owner);
  await catalog.accounts.update(owner, { passwordHash: 'another' });
  await catalog.accounts.update(admin, { role: 'creator' });
  // Nobody removes accounts yet: what will do so tells of it as of every change.
  await catalog.accounts.update(gone, { quotaBytes: 1 });
  await catalog.db.deleteFrom('accounts').where('id', '=', gone).execute();
  const { id: oldKey } = keys.signing;
  await keys.rotate();
  clock.advance(60_000);
  await events.settled();

  const wrongElsewhere = {
    'nothing else': {},
    'for statistics': { audiences: ['statistics'] },
    'for another network': { networks: ['198.51.100.0/24'] },
    'kept out by a rule': { rules: [{ action: 'block', networks: ['192.0.2.0/24'] }] },
    'for another player': { device: deviceMark('another player') },
    'too early': { notBefore: now + 3_600_000 },
  } as const;
  const linksElsewhere = await Promise.all(Object.entries(wrongElsewhere).map(async ([what, change]) => [what, (await issueElsewhere(change)).text] as const));
  const ofElsewhere = [...linksElsewhere, ['over', briefElsewhere], ['taken back', takenElsewhere.text]] as const;
  const strangers: Stranger[] = [
    ...ofElsewhere.map(([what, text]) => ({ name: `of another channel, and ${what}`, grant: () => text, code: 'grant-other-video' })),
    { name: 'no grant', grant: () => '-', code: 'not-found' },
    { name: 'a made-up grant', grant: () => 'A'.repeat(108), code: 'grant-malformed' },
    { name: 'a wrong signature', grant: (video) => forged(of(video)), code: 'grant-signature' },
    { name: 'one bit changed', grant: (video) => `${of(video).slice(0, 30)}${of(video)[30] === 'A' ? 'B' : 'A'}${of(video).slice(31)}`, code: 'grant-signature' },
    { name: 'truncated', grant: (video) => of(video).slice(0, -1), code: 'grant-malformed' },
    { name: 'truncated by a whole group', grant: (video) => of(video).slice(0, -4), code: 'grant-malformed' },
    { name: 'longer', grant: (video) => `${of(video)}AAAA`, code: 'grant-malformed' },
    { name: 'of another video', grant: (video) => of(video === videos.clear ? videos.cbcs : videos.clear), code: 'grant-other-video' },
    { name: 'for statistics', grant: with_({ audiences: ['statistics'] }), code: 'grant-other-audience' },
    { name: 'for media alone', grant: with_({ audiences: ['media'] }), code: audienceOnly('media') },
    { name: 'for pictures alone', grant: with_({ audiences: ['pictures'] }), code: audienceOnly('pictures') },
    { name: 'for keys alone', grant: with_({ audiences: ['keys'] }), code: audienceOnly('keys') },
    { name: 'for another network', grant: with_({ networks: ['198.51.100.0/24'] }), code: 'grant-other-network' },
    { name: 'for this network, said by a stranger', grant: with_({ networks: ['192.0.2.0/24'] }), who: { address: '192.0.2.9, 198.51.100.7' }, code: 'grant-other-network' },
    { name: 'kept out by a rule', grant: with_({ rules: [{ action: 'block', networks: ['192.0.2.0/24'] }] }), code: 'grant-blocked' },
    { name: 'for another player', grant: with_({ device: deviceMark('another player') }), code: 'grant-other-device' },
    { name: 'too early', grant: with_({ notBefore: now + 3_600_000 }), code: 'grant-not-yet' },
    { name: 'over before the start', grant: brief, code: 'grant-expired' },
    { name: 'taken back', grant: taken, code: 'grant-revoked' },
    { name: 'signed out', grant: signedOut, code: 'grant-revoked' },
    { name: 'with another password since', grant: locked, code: 'grant-revoked' },
    { name: 'an admin no more', grant: demoted, code: 'grant-void' },
    { name: 'handed on by one', grant: handedByDemoted, code: 'grant-void' },
    { name: 'of an account that is gone', grant: ofGone, code: 'grant-revoked' },
    { name: 'handed on by one that is gone', grant: handedByGone, code: 'grant-void' },
    { name: 'for lower pictures', grant: with_({ maxHeight: height - 1 }), code: ({ picture }) => (picture ? 'height-limit' : null) },
    { name: 'not to be downloaded', grant: with_({ mayDownload: false }), code: ({ download }) => (download ? 'download-not-allowed' : null) },
  ];
  await tryAll(t, house, strangers, 'before', false);
  await passAll(t, house, ({ video }) => good.get(video) ?? '');
  await passAll(t, house, ({ video }) => good.get(video) ?? '');
  await tryAll(t, house, strangers, 'afterwards');
  for (const door of noKeys) t.same(faultsOf(await ask(good.get(door.video) ?? '', door), 'no-such-key'), [], door.name);

  await keys.remove(oldKey);
  await tryAll(t, house, [{ name: 'signed by a key that is gone', grant: ofOldKey, code: 'grant-key-unknown' }], 'afterwards');
});

t.test('where all places are taken nobody passes a door, and whoever was stopped passes none', async (t) => {
  const house = await openHouse(t, { perAccount: 1, whenFull: 'refuse-new' });
  const { videos, owner, viewings, own, logIn, ask, doors } = house;
  const [first, second] = [await logIn(owner), await logIn(owner)];
  const by = (session: string) => (video: VideoRow) => own(video, owner, 'creator', session);
  const media = doors.find(({ media, video }) => media && video === videos.clear.id);
  if (!media) throw new Error('there is no media');
  t.equal((await ask(by(first)(videos.clear), media)).status, 200);
  await tryAll(t, house, [{ name: 'one too many', grant: by(second), who: { agent: 'another player' }, code: 'too-many-streams' }], 'while another watches');
  viewings.stop(owner, viewings.ofAccount(owner)[0]?.id ?? '');
  await tryAll(t, house, [{ name: 'stopped', grant: by(first), code: 'stream-stopped' }], 'afterwards');
});

const codeOf = (text: string): unknown => (JSON.parse(text) as { code: unknown }).code;

t.test('whoever began in time watches a show of ten hours to its end: lists, media, keys and licences; whoever comes later gets nothing', async (t) => {
  const { clock, videos, issue, ask, doors } = await openHouse(t);
  const expiresAt = clock.wall() + 3_600_000;
  const grants = new Map(await Promise.all(Object.values(videos).map(async (video) => [video.id, (await issue(video, { expiresAt })).text] as const)));
  const by = ({ video }: Door): string => grants.get(video) ?? '';
  const statuses = async (some: readonly Door[], who = {}): Promise<string[]> =>
    (await Promise.all(some.map(async (door) => [door.name, await ask(by(door), door, who)] as const))).flatMap(([name, { status, text }]) => (status === 200 ? [] : [`${name}: ${status} ${String(codeOf(text))}`]));

  // What a player goes on asking for; of each of the videos something.
  const asked = doors.filter(({ name }) => /^(live|cbcs): (playlist of pictures|segment|part|MPD|TS segment)$|^(key|licence)$/.test(name));
  t.ok(['key', 'licence'].every((name) => asked.some((door) => door.name === name)) && asked.length > 8, `${asked.length} doors`);
  const late = { address: '192.0.2.77', agent: 'a late player' };
  const [{ id: live }, { id: cbcs }] = [videos.live, videos.cbcs];
  const stepMs = silenceMs - 1_000;
  for (let ms = 0; ms < 10 * 3_600_000; ms += stepMs) {
    // Any one of them keeps it going: in turns, and all of them now and then.
    const round = Math.round(ms / stepMs);
    const media = asked.filter((door) => door.media);
    const now = round % 60 === 0 ? asked : [live, cbcs].flatMap((id) => media.filter(({ video }) => video === id).slice(round % 2, (round % 2) + 1));
    const refused = await statuses(now);
    if (refused.length > 0) t.fail(`after ${ms / 1000} s: ${refused.join()}`);
    clock.advance(stepMs);
  }
  t.ok(clock.wall() > expiresAt + 8 * 3_600_000);
  const open = doors.filter(({ video }) => video === live || video === cbcs);
  t.same(await statuses(open), [], 'every door is open to him in the tenth hour');
  for (const door of doors) {
    const { status, text, headers } = await ask(by(door), door, late);
    t.same([status, codeOf(text), headers['cache-control']], [403, 'grant-expired', 'no-store'], `${door.name} for somebody else`);
  }
  clock.advance(silenceMs);
  for (const door of open) t.equal(codeOf((await ask(by(door), door)).text), 'grant-expired', `${door.name}, when he has left`);
});
