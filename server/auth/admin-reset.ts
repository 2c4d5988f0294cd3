/**
 * For whoever locked himself out and still owns the machine. The command writes a request into the data folder,
 * with a hash of a one-time token; the server looks for it when somebody brings a token that it does not know.
 * So it works whether the server is running or not, nobody but the server opens the catalog, and being able to
 * write into the data folder is the proof of ownership (whoever can do that can do anything here).
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import { newToken, randomText } from '../catalog/ids.ts';
import { hashToken } from '../catalog/sessions.ts';

export type ResetRequest = { readonly tokenHash: string; readonly expiresAt: number };

const fileName = 'admin-reset.json';
const validMs = 3_600_000;

/** An operator often runs the command as root; the server, which is somebody else, must be able to read what it wrote. */
const giveTo = async (file: FileHandle, folder: string): Promise<void> => {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  await file.chown(uid, gid);
};

/** Writes the request; the caller prints `<address>/setup#<token>`. A newer request replaces an older one. */
export const adminReset = async (folder: string, clock: Pick<Clock, 'wall'>): Promise<{ token: string; expiresAt: number }> => {
  const token = newToken();
  const expiresAt = clock.wall() + validMs;
  const path = join(folder, fileName);
  const draft = `${path}.${randomText(8)}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await giveTo(file, folder);
    await file.writeFile(JSON.stringify({ tokenHash: hashToken(token), expiresAt } satisfies ResetRequest));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  return { token, expiresAt };
};

const missing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** The request that waits in the folder; null when there is none, or it is not one of ours. */
export const waitingReset = async (folder: string): Promise<ResetRequest | null> => {
  let text: string;
  try {
    text = await readFile(join(folder, fileName), 'utf8');
  } catch (error) {
    if (missing(error)) return null;
    throw error;
  }
  try {
    const { tokenHash, expiresAt } = JSON.parse(text) as Partial<ResetRequest>;
    return typeof tokenHash === 'string' && typeof expiresAt === 'number' ? { tokenHash, expiresAt } : null;
  } catch {
    return null; // Half a file of somebody else's making: as good as none.
  }
};

export const dropReset = async (folder: string): Promise<void> => {
  await unlink(join(folder, fileName)).catch((error: unknown) => {
    if (!missing(error)) throw error;
  });
};
