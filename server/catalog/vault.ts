/**
 * The master key, and what is done with it: sealing secrets that must be shown again (stream keys, SRT
 * passphrases), and keyed hashes to look secrets up by. The first start makes it; it never leaves the data
 * folder, and each purpose has a key of its own derived from it.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CatalogError } from './errors.ts';

export type Purpose = 'stream-key' | 'srt-passphrase' | 'answer' | 'grant' | 'media' | 'upload' | 'import' | 'fingerprint';

export interface Vault {
  /** AES-256-GCM; `context` (which row, which column) must be the same when it is opened. */
  seal(purpose: Purpose, context: string, text: string): string;
  open(purpose: Purpose, context: string, sealed: string): string;
  /** HMAC-SHA256 under a key for this purpose alone. */
  mac(purpose: Purpose, text: string | Uint8Array): Buffer;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

export const createVault = (master: Buffer): Vault => {
  const derived = new Map<string, Buffer>();
  const keyFor = (use: string): Buffer => {
    const known = derived.get(use);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `millrace ${use}`, keyBytes));
    derived.set(use, key);
    return key;
  };
  return {
    seal(purpose, context, text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', keyFor(`seal ${purpose}`), nonce).setAAD(Buffer.from(context));
      return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
    },
    open(purpose, context, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      const nonce = bytes.subarray(0, nonceBytes);
      const decipher = createDecipheriv('aes-256-gcm', keyFor(`seal ${purpose}`), nonce, { authTagLength: tagBytes })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(bytes.length - tagBytes));
      const text = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    },
    mac: (purpose, text) => createHmac('sha256', keyFor(`mac ${purpose}`)).update(text).digest(),
  };
};

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
};

/** Makes the key under another name first and then links it in place: it is there whole or not at all, and two starts at once agree on one. */
const makeKey = async (folder: string, path: string): Promise<void> => {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(randomBytes(keyBytes));
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  await syncFolder(folder);
};

export type OpenedVault = { readonly vault: Vault; readonly fresh: boolean };

export const openVault = async (folder: string): Promise<OpenedVault> => {
  const path = join(folder, 'master.key');
  const read = async (): Promise<Buffer | null> =>
    readFile(path).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return null;
      throw error;
    });
  let key = await read();
  const fresh = key === null;
  if (!key) {
    await makeKey(folder, path);
    key = await read();
  }
  if (key?.length !== keyBytes) throw new CatalogError('wrong-key', `${path} is not a master key (${keyBytes} bytes). Put the one from your backup back.`);
  return { vault: createVault(key), fresh };
};
