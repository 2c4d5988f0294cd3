/**
 * Grants for what is not open to everybody: made when a player asks where to go, judged at every request below
 * /play/. A grant says who may play what; whether that still holds is looked up, and kept until an event says that the
 * video or the account changed, so that the hot path pays a map look-up and a look at the clock.
 */
import type { Clock } from '../../packager/clock.ts';
import type { AccountRow, AccountStore } from '../catalog/accounts.ts';
import type { Vault } from '../catalog/vault.ts';
import type { VideoRow, VideoStore } from '../catalog/videos.ts';
import type { Audience, GrantVerdict } from '../delivery/presentation.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { Who } from './auth.ts';
import type { TokenVerifier } from './gatekeeper.ts';
import { readGrant, writeGrant, type Grant } from './grant-token.ts';

export type GrantsOptions = {
  readonly vault: Pick<Vault, 'mac'>;
  readonly videos: Pick<VideoStore, 'get'>;
  readonly accounts: Pick<AccountStore, 'get'>;
  readonly events: Pick<EventDispatcher, 'subscribe'>;
  readonly clock: Clock;
};

/** A ten-hour show is watched to its end with the grant it was begun with, and one that was left open overnight too. */
export const grantLastsMs = 24 * 3_600_000;
export const mostKept = 10_000;

const absent: GrantVerdict = { ok: false, status: 404, code: 'not-found' };
const invalid: GrantVerdict = { ok: false, status: 403, code: 'grant-invalid' };
const expired: GrantVerdict = { ok: false, status: 403, code: 'grant-expired' };

type Known = { readonly grant: Grant; readonly verdict: GrantVerdict };

export class Grants implements TokenVerifier {
  readonly #o: GrantsOptions;
  /** By the text of the grant; oldest first. Only what this server made gets in here. */
  readonly #known = new Map<string, Known>();
  /** Counts up with every change heard: what was read before a change must not be kept after it. */
  #changes = 0;

  constructor(options: GrantsOptions) {
    this.#o = options;
    options.events.subscribe('video.', (event) => {
      if ('videoId' in event) this.#forget(({ video }) => video === event.videoId);
    });
    options.events.subscribe('account.updated', ({ accountId }) => this.#forget(({ account }) => account === accountId));
  }

  get kept(): number {
    return this.#known.size;
  }

  /** Null: this account may not play it. */
  mint(video: VideoRow, { accountId, role }: Pick<Who, 'accountId' | 'role'>): { readonly grant: string; readonly expiresAt: number } | null {
    if (!isOwn(video, { id: accountId, role })) return null;
    const expiresAt = Math.floor((this.#o.clock.wall() + grantLastsMs) / 1000) * 1000;
    return { grant: writeGrant(this.#o.vault, { video: video.id, account: accountId, expiresAt }), expiresAt };
  }

  verdict(text: string, video: string, audience: Audience): GrantVerdict | Promise<GrantVerdict> {
    const known = this.#known.get(text);
    const grant = known?.grant ?? readGrant(this.#o.vault, text);
    // These grants are made for players; nothing else is served by them.
    if (!grant || grant.video !== video || audience !== 'media') return invalid;
    if (grant.expiresAt <= this.#o.clock.wall()) return expired;
    return known?.verdict ?? this.#judge(text, grant);
  }

  async #judge(text: string, grant: Grant): Promise<GrantVerdict> {
    const before = this.#changes;
    const [video, account] = await Promise.all([this.#o.videos.get(grant.video), this.#o.accounts.get(grant.account)]);
    const verdict = judged(grant, video, account);
    if (this.#changes === before) {
      this.#known.set(text, { grant, verdict });
      const [oldest] = this.#known.size > mostKept ? this.#known.keys() : [];
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return verdict;
  }

  #forget(which: (grant: Grant) => boolean): void {
    this.#changes += 1;
    for (const [text, { grant }] of this.#known) if (which(grant)) this.#known.delete(text);
  }
}

const isOwn = ({ ownerId }: VideoRow, { id, role }: Pick<AccountRow, 'id' | 'role'>): boolean => role === 'admin' || id === ownerId;

const judged = ({ expiresAt }: Grant, video: VideoRow | null, account: AccountRow | null): GrantVerdict => {
  if (!video) return absent;
  const open = video.visibility === 'public' || video.visibility === 'unlisted';
  if (!open && !(account && isOwn(video, account))) return invalid;
  return { ok: true, shared: false, expiresAt, maxHeight: null, mayDownload: video.downloads };
};
