/**
 * The text of a grant: who may play which video, until when and how, and proof that this server said so. There is no
 * field that names an algorithm. The version fixes the layout and the MAC, and whoever sends a grant chooses neither.
 *
 *     byte   0      version: 2
 *            1-2    number of the key
 *            3      bits 0-3: what it is for; bit 5: it opens the shows of a channel; bit 6: the account itself watches; bit 7: what it opens may be downloaded
 *            4-7    from when on it opens, seconds since 1970; 0: at once
 *            8-11   when it expires, seconds since 1970
 *           12-13   how high pictures may be; 0: any
 *           14-29   the grant’s id
 *           30-45   the id of the video, or of the channel
 *           46-61   the id of the account in whose name it was given
 *           62      how many may play with it at once; 0: what holds for everybody
 *           63-64   length of the rest
 *           65-     the rest, JSON: what few grants say; filled up with spaces
 *           last 16 the first half of HMAC-SHA256 over all of that (RFC 2104, 5: not less than half)
 *
 * The length is a multiple of 3, so that base64url leaves no spare bit: one grant has exactly one text.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { GrantTarget } from '../catalog/grants.ts';
import { isId } from '../catalog/ids.ts';
import type { Audience } from '../delivery/presentation.ts';
import { readRest, writeRest, type RareClaims } from './grant-rest.ts';

export type Grant = RareClaims & {
  readonly id: string;
  readonly opens: GrantTarget;
  readonly account: string;
  readonly audiences: readonly Audience[];
  /** ms since 1970, a whole second; null: at once. */
  readonly notBefore: number | null;
  readonly expiresAt: number;
  /** Null: any. */
  readonly maxHeight: number | null;
  readonly mayDownload: boolean;
  /** The account itself watches: what it watches is counted together. */
  readonly own: boolean;
  /** At once, told apart by address and player; null: what holds for everybody. */
  readonly streams: number | null;
};

/** Keys by number. */
export type SigningKey = { readonly id: number; readonly secret: Buffer };
export type FindKey = (id: number) => Buffer | null;

const version = 2;
const idBytes = 16;
const at = { key: 1, flags: 3, notBefore: 4, expires: 8, height: 12, id: 14, thing: 30, account: 46, streams: 62, restLength: 63, rest: 65 } as const;
const macBytes = 16;
const leastBytes = at.rest + macBytes;
/** What a step of a path may hold: 1024 characters. */
const mostBytes = 768;
const mostRestBytes = mostBytes - leastBytes;
const shape = /^(?:[A-Za-z0-9_-]{4}){27,256}$/;
const downloadFlag = 0x80;
const ownFlag = 0x40;
const channelFlag = 0x20;
export const allAudiences: readonly Audience[] = ['media', 'pictures', 'keys', 'statistics'];

const macOf = (secret: Buffer, facts: Buffer): Buffer => createHmac('sha256', secret).update(facts).digest().subarray(0, macBytes);

const flagsOf = ({ audiences, mayDownload, own, opens }: Grant): number =>
  allAudiences.reduce(
    (flags, audience, bit) => (audiences.includes(audience) ? flags | (1 << bit) : flags),
    (mayDownload ? downloadFlag : 0) | (own ? ownFlag : 0) | (opens.kind === 'channel' ? channelFlag : 0),
  );

/** Whether all that it says goes into an address. */
export const fits = (grant: RareClaims): boolean => writeRest(grant).length <= mostRestBytes;

/** RangeError: an id is none, or the grant does not fit. */
export const writeGrant = (key: SigningKey, grant: Grant): string => {
  if (![grant.id, grant.opens.id, grant.account].every((id) => id.length === idBytes)) throw new RangeError('an id in a grant has 16 characters');
  const rest = writeRest(grant);
  if (rest.length > mostRestBytes) throw new RangeError('a grant says more than fits into an address');
  const facts = Buffer.alloc(at.rest + rest.length);
  facts.writeUInt8(version, 0);
  facts.writeUInt16BE(key.id, at.key);
  facts.writeUInt8(flagsOf(grant), at.flags);
  facts.writeUInt32BE((grant.notBefore ?? 0) / 1000, at.notBefore);
  facts.writeUInt32BE(grant.expiresAt / 1000, at.expires);
  facts.writeUInt16BE(grant.maxHeight ?? 0, at.height);
  facts.write(grant.id, at.id, 'latin1');
  facts.write(grant.opens.id, at.thing, 'latin1');
  facts.write(grant.account, at.account, 'latin1');
  facts.writeUInt8(grant.streams ?? 0, at.streams);
  facts.writeUInt16BE(rest.length, at.restLength);
  rest.copy(facts, at.rest);
  return Buffer.concat([facts, macOf(key.secret, facts)]).toString('base64url');
};

export type ReadGrant = Grant | 'grant-malformed' | 'grant-key-unknown' | 'grant-signature';

/** Whether it has expired, and for whom it is, is for the caller to judge. */
export const readGrant = (find: FindKey, text: string): ReadGrant => {
  if (!shape.test(text)) return 'grant-malformed';
  const bytes = Buffer.from(text, 'base64url');
  const macAt = bytes.length - macBytes;
  if (bytes[0] !== version || bytes.readUInt16BE(at.restLength) !== macAt - at.rest) return 'grant-malformed';
  const secret = find(bytes.readUInt16BE(at.key));
  if (!secret) return 'grant-key-unknown';
  const facts = bytes.subarray(0, macAt);
  if (!timingSafeEqual(macOf(secret, facts), bytes.subarray(macAt))) return 'grant-signature';
  return genuine(facts) ?? 'grant-malformed';
};

const genuine = (facts: Buffer): Grant | null => {
  const flags = facts.readUInt8(at.flags);
  const [id, thing, account] = [at.id, at.thing, at.account].map((from) => facts.toString('latin1', from, from + idBytes));
  const rest = readRest(facts.subarray(at.rest));
  if (id === undefined || thing === undefined || account === undefined || ![id, thing, account].every(isId) || !rest) return null;
  return {
    ...{ id, account, ...rest },
    opens: { kind: (flags & channelFlag) === 0 ? 'video' : 'channel', id: thing },
    audiences: allAudiences.filter((_audience, bit) => (flags & (1 << bit)) !== 0),
    notBefore: facts.readUInt32BE(at.notBefore) * 1000 || null,
    expiresAt: facts.readUInt32BE(at.expires) * 1000,
    maxHeight: facts.readUInt16BE(at.height) || null,
    mayDownload: (flags & downloadFlag) !== 0,
    own: (flags & ownFlag) !== 0,
    streams: facts.readUInt8(at.streams) || null,
  };
};
