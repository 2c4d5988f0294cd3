/**
 * The text of a grant: who may play which video until when, and proof that this server said so. There is no field
 * that names an algorithm. The version fixes the layout and the MAC, and whoever sends a grant chooses neither.
 *
 *     byte   0      version: 1
 *            1      which key: 0
 *            2-5    when it expires, seconds since 1970
 *            6-21   the video’s id
 *           22-37   the account’s id
 *           38-53   the first half of HMAC-SHA256 over all of that (RFC 2104, 5: not less than half)
 *
 * 54 bytes are 72 characters of base64url without a spare bit: one grant has exactly one text.
 */
import { timingSafeEqual } from 'node:crypto';
import { isId } from '../catalog/ids.ts';
import type { Vault } from '../catalog/vault.ts';

export type Grant = {
  readonly video: string;
  readonly account: string;
  /** ms since 1970, a whole second. */
  readonly expiresAt: number;
};

const version = 1;
const key = 0;
const idBytes = 16;
const videoAt = 6;
const accountAt = videoAt + idBytes;
const macAt = accountAt + idBytes;
const macBytes = 16;
const grantBytes = macAt + macBytes;
const shape = new RegExp(`^[A-Za-z0-9_-]{${(grantBytes / 3) * 4}}$`);

const macOf = (vault: Pick<Vault, 'mac'>, facts: Buffer): Buffer => vault.mac('grant', facts).subarray(0, macBytes);

export const writeGrant = (vault: Pick<Vault, 'mac'>, { video, account, expiresAt }: Grant): string => {
  if (video.length !== idBytes || account.length !== idBytes) throw new RangeError('an id in a grant has 16 characters');
  const facts = Buffer.alloc(macAt);
  facts.writeUInt8(version, 0);
  facts.writeUInt8(key, 1);
  facts.writeUInt32BE(expiresAt / 1000, 2);
  facts.write(video, videoAt, 'latin1');
  facts.write(account, accountAt, 'latin1');
  return Buffer.concat([facts, macOf(vault, facts)]).toString('base64url');
};

/** Null: no grant of this server. Whether it has expired is for the caller to judge. */
export const readGrant = (vault: Pick<Vault, 'mac'>, text: string): Grant | null => {
  if (!shape.test(text)) return null;
  const bytes = Buffer.from(text, 'base64url');
  if (bytes[0] !== version || bytes[1] !== key) return null;
  const facts = bytes.subarray(0, macAt);
  if (!timingSafeEqual(macOf(vault, facts), bytes.subarray(macAt))) return null;
  const video = facts.toString('latin1', videoAt, accountAt);
  const account = facts.toString('latin1', accountAt, macAt);
  return isId(video) && isId(account) ? { video, account, expiresAt: facts.readUInt32BE(2) * 1000 } : null;
};
