/**
 * The text in an upload's address: whose bytes it takes until when, and proof that this server said so. As with grants,
 * no field names an algorithm: the version fixes the layout and the MAC.
 *
 *     byte   0      version: 1
 *            1      which key: 0
 *            2-6    when it expires, seconds since 1970
 *            7-22   the video’s id
 *           23-38   the first half of HMAC-SHA256 over all of that (RFC 2104, 5: not less than half)
 *
 * 39 bytes are 52 characters of base64url without a spare bit: one token has exactly one text.
 */
import { timingSafeEqual } from 'node:crypto';
import { isId } from '../catalog/ids.ts';
import type { Vault } from '../catalog/vault.ts';

export type UploadToken = {
  readonly video: string;
  /** ms since 1970, a whole second. */
  readonly expiresAt: number;
};

const version = 1;
const key = 0;
const expiryAt = 2;
const expiryBytes = 5;
const videoAt = expiryAt + expiryBytes;
const idBytes = 16;
const macAt = videoAt + idBytes;
const macBytes = 16;
const tokenBytes = macAt + macBytes;
const shape = new RegExp(`^[A-Za-z0-9_-]{${(tokenBytes / 3) * 4}}$`);

const macOf = (vault: Pick<Vault, 'mac'>, facts: Buffer): Buffer => vault.mac('upload', facts).subarray(0, macBytes);

export const writeUploadToken = (vault: Pick<Vault, 'mac'>, { video, expiresAt }: UploadToken): string => {
  if (video.length !== idBytes) throw new RangeError('the id in an upload’s token has 16 characters');
  const facts = Buffer.alloc(macAt);
  facts.writeUInt8(version, 0);
  facts.writeUInt8(key, 1);
  facts.writeUIntBE(expiresAt / 1000, expiryAt, expiryBytes);
  facts.write(video, videoAt, 'latin1');
  return Buffer.concat([facts, macOf(vault, facts)]).toString('base64url');
};

/** Null: no token of this server. Whether it has expired is for the caller to judge. */
export const readUploadToken = (vault: Pick<Vault, 'mac'>, text: string): UploadToken | null => {
  if (!shape.test(text)) return null;
  const bytes = Buffer.from(text, 'base64url');
  if (bytes[0] !== version || bytes[1] !== key) return null;
  const facts = bytes.subarray(0, macAt);
  if (!timingSafeEqual(macOf(vault, facts), bytes.subarray(macAt))) return null;
  const video = facts.toString('latin1', videoAt, macAt);
  return isId(video) ? { video, expiresAt: facts.readUIntBE(expiryAt, expiryBytes) * 1000 } : null;
};
