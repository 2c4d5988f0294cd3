/**
 * Grants for what is not open to everybody: made when a player asks where to go, or by an owner who hands them on; judged
 * at every request below /play/. A grant says who may play what; whether that still holds is looked up, and kept until an
 * event says that the video, the account or the grant changed, so that the hot path pays a map look-up and a few
 * comparisons.
 */
import type { Clock } from '../../packager/clock.ts';
import type { AccountRow, AccountStore } from '../catalog/accounts.ts';
import type { ChannelRow } from '../catalog/channels.ts';
import { targetIds, type GrantStore, type GrantTarget } from '../catalog/grants.ts';
import { idFrom, newId } from '../catalog/ids.ts';
import type { SessionStore } from '../catalog/sessions.ts';
import type { Vault } from '../catalog/vault.ts';
import type { VideoRow, VideoStore } from '../catalog/videos.ts';
import type { Asker, Audience, GrantVerdict } from '../delivery/presentation.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { Who } from './auth.ts';
import type { Vouched } from './foreign-tokens.ts';
import type { TokenVerifier } from './gatekeeper.ts';
import { longestGrantMs, type GrantKeys } from './grant-keys.ts';
import { fits, readGrant, writeGrant, type Grant } from './grant-token.ts';
import type { RefusalCode } from './grant-refusals.ts';
import type { Seat, Turned, Viewings } from './viewings.ts';
import { usable, wrongPlace, wrongThing, wrongTime, type Usable } from './grant-use.ts';

export type GrantsOptions = {
  readonly vault: Pick<Vault, 'mac'>;
  readonly keys: Pick<GrantKeys, 'signing' | 'find' | 'removals'>;
  readonly videos: Pick<VideoStore, 'get'>;
  readonly accounts: Pick<AccountStore, 'get'>;
  readonly sessions: Pick<SessionStore, 'ofAccount'>;
  readonly grants: Pick<GrantStore, 'add' | 'isRevoked'>;
  readonly events: Pick<EventDispatcher, 'subscribe'>;
  readonly viewings: Viewings;
  readonly clock: Clock;
};

/** What somebody who hands a grant on says of it. */
export type GrantWish = Omit<Grant, 'id' | 'opens' | 'account' | 'expiresAt' | 'own'> & {
  readonly label: string;
  /** ms since 1970; null: in a week. */
  readonly expiresAt: number | null;
};
/** Handed on; `createdAt` is when. */
export type Issued =
  | { readonly kind: 'made'; readonly text: string; readonly grant: Grant; readonly createdAt: number }
  | { readonly kind: 'too-many' | 'wrong-times' | 'says-too-much' };
export type MadeGrant = { readonly text: string; readonly grant: Grant };

/** A ten-hour show is watched to its end with the grant it was begun with, and one that was left open overnight too. */
export const grantLastsMs = 24 * 3_600_000;
const handedOnForMs = 7 * 86_400_000;
export const mostKept = 10_000;

const absent: GrantVerdict = { ok: false, status: 404, code: 'not-found' };
const refused = (code: RefusalCode): GrantVerdict => ({ ok: false, status: 403, code });
/** Also where there is no such video: a link to a channel does not tell which there are. */
const otherVideo = refused('grant-other-video');

type Known = { readonly use: Usable; readonly seat: Seat; readonly verdict: GrantVerdict; /** As many as before it was read. */ readonly removals: number };

export class Grants implements TokenVerifier {
  readonly #o: GrantsOptions;
  /** By the text of the grant, for those of channels with the video; oldest first. Only what this server made gets in here. */
  readonly #known = new Map<string, Known>();
  /** Counts up with every change heard: what was read before a change must not be kept after it. */
  #changes = 0;

  constructor(options: GrantsOptions) {
    this.#o = options;
    options.events.subscribe('video.', (event) => {
      if ('videoId' in event) this.#forget(({ seat }) => seat.video === event.videoId);
    });
    options.events.subscribe('account.updated', ({ accountId }) => this.#forget(({ seat }) => seat.account === accountId));
    options.events.subscribe('account.sessions-ended', ({ accountId }) => this.#endSessions(accountId));
    // Whoever takes one back says so himself; this is for where the server ended in between.
    options.events.subscribe('grant.revoked', ({ grantId }) => this.taken(grantId));
    // Its shows stay with their owner; the links to them go.
    options.events.subscribe('channel.deleted', ({ channelId }) => {
      const ofIt = this.#forget(({ use }) => use.grant.opens.kind === 'channel' && use.grant.opens.id === channelId);
      for (const { seat } of ofIt) options.viewings.end(seat.id);
    });
  }

  get kept(): number {
    return this.#known.size;
  }

  /** For whoever watches himself; null: this account may not play it. */
  mint(video: VideoRow, { accountId, role, sessionId }: Pick<Who, 'accountId' | 'role' | 'sessionId'>): MadeGrant | null {
    if (!isOwn(video, { id: accountId, role })) return null;
    const grant = ownGrant(this.ownId(sessionId), video, accountId, ['media', 'pictures', 'keys'], wholeSeconds(this.#o.clock.wall() + grantLastsMs));
    return { text: writeGrant(this.#o.keys.signing, grant), grant };
  }

  /** For the cards of whoever looks at what is his: it opens pictures alone (that of what is live, and key pictures), and its text stays the same for an hour, so that they stay in caches. */
  mintForPictures(video: Pick<VideoRow, 'id' | 'ownerId'>, { accountId, role, sessionId }: Pick<Who, 'accountId' | 'role' | 'sessionId'>): string | null {
    if (!isOwn(video, { id: accountId, role })) return null;
    const hour = 3_600_000;
    return writeGrant(this.#o.keys.signing, ownGrant(this.ownId(sessionId), video, accountId, ['pictures'], (Math.floor(this.#o.clock.wall() / hour) + 2) * hour));
  }

  /** To be handed on. The account is known to own what it opens. */
  async issue(opens: GrantTarget, accountId: string, { label, ...said }: GrantWish): Promise<Issued> {
    const createdAt = this.#o.clock.wall();
    const grant = { ...said, own: false, id: newId(), opens, account: accountId, expiresAt: wholeSeconds(said.expiresAt ?? createdAt + handedOnForMs), notBefore: beginning(opens, said.notBefore, createdAt) };
    if (grant.expiresAt <= createdAt || grant.expiresAt > createdAt + longestGrantMs || (grant.notBefore ?? 0) >= grant.expiresAt) return { kind: 'wrong-times' };
    if (!fits(grant)) return { kind: 'says-too-much' };
    const text = writeGrant(this.#o.keys.signing, grant);
    const row = { id: grant.id, ...targetIds(opens), accountId, label, createdAt, expiresAt: grant.expiresAt, revokedAt: null };
    return (await this.#o.grants.add(row, text)) ? { kind: 'made', text, grant, createdAt } : { kind: 'too-many' };
  }

  /** For a viewer whom others vouch for; in the name of whoever owns the video. Null: more is said of him than fits. */
  vouch(video: VideoRow, issuer: string, { viewer, ...said }: Vouched): MadeGrant | null {
    const grant: Grant = {
      id: idFrom(this.#o.vault.mac('grant', `vouched ${issuer} ${viewer}`)),
      ...{ opens: { kind: 'video', id: video.id }, account: video.ownerId, viewer, ...said },
      audiences: ['media', 'pictures', 'keys'],
      expiresAt: wholeSeconds(Math.min(said.expiresAt, this.#o.clock.wall() + grantLastsMs)),
      ...{ notBefore: null, own: false, rules: [], device: null },
    };
    return fits(grant) ? { text: writeGrant(this.#o.keys.signing, grant), grant } : null;
  }

  /** A page that is loaded again in the same browser is the same viewer. */
  ownId(sessionId: string): string {
    return idFrom(this.#o.vault.mac('grant', `session ${sessionId}`));
  }

  /** Whether whoever is about to watch by it would be given media. `again`: he was stopped, and means to go on here. */
  mayBegin(grant: Grant, from: Asker, again: boolean): Turned | null {
    if (again) this.#o.viewings.restart(grant, from);
    return this.#o.viewings.look(grant, from);
  }

  /** It was taken back, as the catalog has it: from now on nothing is given by it, and what is on its way is broken off. */
  taken(id: string): void {
    this.#forget(({ seat }) => seat.id === id);
    this.#o.viewings.end(id);
  }

  /** What a grant of this server says; null: it is none. */
  read(text: string): Grant | null {
    const grant = readGrant(this.#o.keys.find, text);
    return typeof grant === 'string' ? null : grant;
  }

  /** Whether the page of a channel opens by it; null: there is no such channel, which is not told. */
  async ofChannel(text: string, channel: ChannelRow | null, from: Asker): Promise<{ readonly until: number } | RefusalCode> {
    const grant = readGrant(this.#o.keys.find, text);
    if (typeof grant === 'string') return grant;
    if (!channel || grant.opens.kind !== 'channel' || grant.opens.id !== channel.id) return 'grant-other-channel';
    const use = usable(grant);
    const wrong = wrongTime(use, this.#o.clock.wall()) ?? wrongPlace(use, from);
    if (wrong) return wrong;
    const [account, revoked] = await Promise.all([this.#o.accounts.get(grant.account), this.#isRevoked(grant)]);
    if (revoked) return 'grant-revoked';
    return mayGive(channel, account) ? { until: grant.expiresAt } : 'grant-void';
  }

  verdict(text: string, video: string, audience: Audience, from: Asker): GrantVerdict | Promise<GrantVerdict> {
    const known = this.#known.get(text) ?? this.#known.get(withVideo(text, video));
    if (known && known.removals === this.#o.keys.removals) return this.#use(known, video, audience, from);
    const grant = readGrant(this.#o.keys.find, text);
    if (typeof grant === 'string') return refused(grant);
    const use = usable(grant);
    const seat = { ...grant, video };
    const { removals } = this.#o.keys;
    if (grant.opens.kind === 'channel') {
      // Whose video it is comes first: any other answer to whoever has a link to another channel would tell that there is one.
      return this.#judge(text, use, seat, removals).then((verdict) => (verdict === otherVideo ? verdict : this.#use({ use, seat, verdict }, video, audience, from)));
    }
    const wrong = this.#wrong(use, seat, video, audience, from);
    return wrong ? refused(wrong) : this.#judge(text, use, seat, removals).then((verdict) => this.#enter(seat, verdict, from));
  }

  #use({ use, seat, verdict }: Omit<Known, 'removals'>, video: string, audience: Audience, from: Asker): GrantVerdict {
    const wrong = this.#wrong(use, seat, video, audience, from);
    return wrong ? refused(wrong) : this.#enter(seat, verdict, from);
  }

  #wrong(use: Usable, seat: Seat, video: string, audience: Audience, from: Asker): RefusalCode | null {
    const thing = wrongThing(use, video, audience);
    if (thing) return thing;
    const time = wrongTime(use, this.#o.clock.wall());
    // It must be good when a viewing begins; what goes on, goes on.
    if (time === 'grant-expired' && this.#o.viewings.goesOn(seat, from)) return wrongPlace(use, from);
    return time ?? wrongPlace(use, from);
  }

  /** In one turn with the answer: who takes the last place and who does not is settled here. */
  #enter(seat: Seat, verdict: GrantVerdict, from: Asker): GrantVerdict {
    if (!verdict.ok) return verdict;
    const { viewings } = this.#o;
    const turned = from.wantsMedia ? viewings.take(seat, from) : viewings.look(seat, from);
    return turned ? refused(turned) : verdict;
  }

  async #judge(text: string, use: Usable, seat: Seat, removals: number): Promise<GrantVerdict> {
    const before = this.#changes;
    const { grant } = use;
    const [video, account, revoked] = await Promise.all([this.#o.videos.get(seat.video), this.#o.accounts.get(grant.account), this.#isRevoked(grant)]);
    const verdict = judged(grant, video, account, revoked);
    const ofOne = grant.opens.kind === 'video';
    // Made-up videos cost whoever has a link to a channel a look-up each, and us no memory.
    if (this.#changes === before && verdict !== otherVideo) {
      this.#known.set(ofOne ? text : withVideo(text, seat.video), { use, seat, verdict, removals });
      const [oldest] = this.#known.size > mostKept ? this.#known.keys() : [];
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return verdict;
  }

  /** A grant for whoever watches himself ends with the session that it was made in. */
  async #isRevoked({ id, own, account }: Grant): Promise<boolean> {
    return own ? !(await this.#ownIds(account)).has(id) : this.#o.grants.isRevoked(id);
  }

  async #ownIds(account: string): Promise<ReadonlySet<string>> {
    return new Set((await this.#o.sessions.ofAccount(account)).map(({ id }) => this.ownId(id)));
  }

  async #endSessions(accountId: string): Promise<void> {
    this.#forget(({ seat }) => seat.own && seat.account === accountId);
    this.#o.viewings.endAccount(accountId, await this.#ownIds(accountId));
  }

  #forget(which: (known: Known) => boolean): readonly Known[] {
    this.#changes += 1;
    const found = [...this.#known].filter(([, known]) => which(known));
    for (const [key] of found) this.#known.delete(key);
    return found.map(([, known]) => known);
  }
}

const ownGrant = (id: string, video: Pick<VideoRow, 'id'>, account: string, audiences: readonly Audience[], expiresAt: number): Grant => ({
  ...{ id, opens: { kind: 'video', id: video.id }, account, audiences, expiresAt },
  ...{ notBefore: null, maxHeight: null, mayDownload: true, own: true, streams: null, networks: [], rules: [], device: null, viewer: null },
});

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;

const withVideo = (text: string, video: string): string => `${text} ${video}`;

/** A link to a channel opens no show that was over before the link was made: it says from when on. */
const beginning = ({ kind }: GrantTarget, said: number | null, now: number): number | null => {
  if (kind === 'channel') return wholeSeconds(Math.max(said ?? 0, now));
  return said && wholeSeconds(said);
};

/** Of the channel that the grant is for: on now, to come, or over since. */
const isShowOf = ({ opens, notBefore }: Grant, { channelId, source, endedAt }: VideoRow): boolean =>
  source === 'live' && channelId === opens.id && (endedAt === null || endedAt > (notBefore ?? 0));

const isOwn = ({ ownerId }: Pick<VideoRow, 'ownerId'>, { id, role }: Pick<AccountRow, 'id' | 'role'>): boolean => role === 'admin' || id === ownerId;

const mayGive = (thing: Pick<VideoRow, 'ownerId' | 'visibility'>, account: AccountRow | null): boolean =>
  thing.visibility === 'public' || thing.visibility === 'unlisted' || (account !== null && isOwn(thing, account));

const judged = (grant: Grant, video: VideoRow | null, account: AccountRow | null, revoked: boolean): GrantVerdict => {
  if (grant.opens.kind === 'channel' && !(video && isShowOf(grant, video))) return otherVideo;
  if (revoked) return refused('grant-revoked');
  if (!video) return absent;
  if (!mayGive(video, account)) return refused('grant-void');
  const { expiresAt, maxHeight, mayDownload } = grant;
  return { ok: true, shared: false, expiresAt, maxHeight, mayDownload: video.downloads && mayDownload };
};
