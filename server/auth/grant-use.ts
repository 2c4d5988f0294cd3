/** Whether a grant that is genuine opens what is asked for, there and then: pure, and asked at every request. */
import { hash } from 'node:crypto';
import { networkList, type Contains } from '../networks.ts';
import type { Asker, Audience } from '../delivery/presentation.ts';
import type { RefusalCode } from './grant-refusals.ts';
import type { Grant } from './grant-token.ts';

/** A grant with its networks made ready to be looked into. */
export type Usable = {
  readonly grant: Grant;
  readonly networks: Contains | null;
  readonly rules: readonly { readonly allows: boolean; readonly fits: Contains | null }[];
};

const listOf = (networks: readonly string[]): Contains | null => (networks.length === 0 ? null : networkList(networks));

export const usable = (grant: Grant): Usable => ({
  grant,
  networks: listOf(grant.networks),
  rules: grant.rules.map(({ action, networks }) => ({ allows: action === 'allow', fits: listOf(networks) })),
});

/** What is kept of a player’s name in a grant that is bound to it. */
export const deviceMark = (agent: string): string => hash('sha256', agent, 'base64url').slice(0, 16);

/** What does not change from request to request of one player: whose video, and what of it. Whether a video is of a channel, only the catalog knows. */
export const wrongThing = ({ grant }: Usable, video: string, audience: Audience): RefusalCode | null => {
  if (grant.opens.kind === 'video' && grant.opens.id !== video) return 'grant-other-video';
  return grant.audiences.includes(audience) ? null : 'grant-other-audience';
};

export const wrongTime = ({ grant }: Usable, now: number): RefusalCode | null => {
  if (grant.notBefore !== null && now < grant.notBefore) return 'grant-not-yet';
  return grant.expiresAt <= now ? 'grant-expired' : null;
};

export const wrongPlace = ({ grant, networks, rules }: Usable, from: Asker): RefusalCode | null => {
  if (networks && !networks(from.address)) return 'grant-other-network';
  if (grant.device !== null && grant.device !== deviceMark(from.agent)) return 'grant-other-device';
  const first = rules.find(({ fits }) => fits === null || fits(from.address));
  return first && !first.allows ? 'grant-blocked' : null;
};
