/**
 * Keys that travel (draft-sharabayko-srt, 3.2.2 and 6.1): a key that encrypts packets, wrapped (RFC 3394) by one that
 * is made of the passphrase and a salt.
 *
 *     version, 2 | 2029 | which keys | 0 | cipher, 0, encapsulation, 0 | 0 | salt / 4, key / 4 | salt | wrapped keys
 */
import { createCipheriv, createDecipheriv, pbkdf2, pbkdf2Sync } from 'node:crypto';
import { promisify } from 'node:util';

export type KeyMaterial = {
  /** 1: the even key, 2: the odd one, 3: both, even first. */
  readonly which: 1 | 2 | 3;
  readonly keyBytes: 16 | 24 | 32;
  readonly salt: Buffer;
  readonly wrapped: Buffer;
};
export type SessionKey = { readonly salt: Buffer; readonly secret: Buffer };
export type SessionKeys = { readonly even?: SessionKey; readonly odd?: SessionKey };

const headSize = 16;
const saltBytes = 16;
const signature = 0x2029;
const counterMode = 2;
/** RFC 3394 puts 8 bytes in front, which tell whether the key that unwraps is the right one. */
const wrapBytes = 8;
const integrity = Buffer.alloc(8, 0xa6);
const iterations = 2048;
const deriveSlowly = promisify(pbkdf2);

/** Null: not what it says, or a cipher that is not AES-CTR. */
export const readKeyMaterial = (bytes: Buffer): KeyMaterial | null => {
  if (bytes.length < headSize + saltBytes + wrapBytes + 16) return null;
  if (bytes[0] !== 0x12 || bytes.readUInt16BE(1) !== signature) return null;
  const which = (bytes[3] ?? 0) & 3;
  const keyBytes = (bytes[15] ?? 0) * 4;
  if (which !== 1 && which !== 2 && which !== 3) return null;
  if (keyBytes !== 16 && keyBytes !== 24 && keyBytes !== 32) return null;
  if (bytes[8] !== counterMode || bytes[9] !== 0 || (bytes[14] ?? 0) * 4 !== saltBytes) return null;
  const wrapped = bytes.subarray(headSize + saltBytes);
  if (wrapped.length !== keyBytes * (which === 3 ? 2 : 1) + wrapBytes) return null;
  return { which, keyBytes, salt: bytes.subarray(headSize, headSize + saltBytes), wrapped };
};

/** Not the whole salt: its last eight bytes (6.1.4). */
const saltOf = ({ salt }: Pick<KeyMaterial, 'salt'>): Buffer => salt.subarray(8);

export const wrappingKey = (material: Pick<KeyMaterial, 'salt' | 'keyBytes'>, passphrase: string): Buffer =>
  pbkdf2Sync(passphrase, saltOf(material), iterations, material.keyBytes, 'sha1');

/** Whether this is the passphrase. The work is done by the thread pool: strangers can ask for it. */
export const opensWith = async (material: KeyMaterial, passphrase: string): Promise<boolean> =>
  unwrap(material, await deriveSlowly(passphrase, saltOf(material), iterations, material.keyBytes, 'sha1')) !== null;

/** Null: another passphrase. */
export const unwrap = ({ which, keyBytes, salt, wrapped }: KeyMaterial, wrapping: Buffer): SessionKeys | null => {
  const decipher = createDecipheriv(`id-aes${keyBytes * 8}-wrap`, wrapping, integrity);
  let keys: Buffer;
  try {
    keys = Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    return null; // OpenSSL's way of saying that the eight bytes do not agree.
  }
  const own = Buffer.from(salt);
  const key = (index: number): SessionKey => ({ salt: own, secret: keys.subarray(index * keyBytes, (index + 1) * keyBytes) });
  if (which === 3) return { even: key(0), odd: key(1) };
  return which === 1 ? { even: key(0) } : { odd: key(0) };
};

/**
 * AES in counter mode over a packet (6.2.2); the same in both directions. The counter begins with the first 14 bytes
 * of the salt, with the sequence number laid over the last four of these.
 */
export const cryptPacket = ({ salt, secret }: SessionKey, sequence: number, body: Buffer): Buffer => {
  const counter = Buffer.alloc(16);
  salt.copy(counter, 0, 0, 14);
  counter.writeUInt32BE((counter.readUInt32BE(10) ^ sequence) >>> 0, 10);
  return createCipheriv(`aes-${secret.length * 8}-ctr`, secret, counter).update(body);
};
