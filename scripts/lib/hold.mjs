/**
 * One set-up at a time, across processes, by a lock folder that needs nothing but rename().
 *
 * The folder holds one file whose name is its owner: `<pid>-<random>`. It is prepared elsewhere and renamed into
 * place: rename() onto a folder that is not empty fails, onto an empty one it succeeds, so the lock is never seen
 * without an owner. When an owner has died, whoever waits removes *that* owner's file (and can hit no other's) and
 * tries again.
 */
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { SetupError } from './place.mjs';

const pollMs = 200;
const patienceMs = 15 * 60 * 1000;

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Error && 'code' in error ? error.code : undefined);

/** @param {number} pid */
const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM'; // it lives, as somebody else
  }
};

/**
 * @param {string} folder
 * @param {string} owner
 */
const tryTake = (folder, owner) => {
  const prepared = `${folder}.${owner}`;
  mkdirSync(prepared);
  writeFileSync(path.join(prepared, owner), '');
  try {
    renameSync(prepared, folder);
    return true;
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    const code = codeOf(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
};

/** The owner that is alive, after the dead have been removed.
 * @param {string} folder */
const livingOwner = (folder) => {
  let names;
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  for (const name of names) {
    const pid = Number.parseInt(name, 10);
    if (Number.isInteger(pid) && isAlive(pid)) return pid;
    rmSync(path.join(folder, name), { force: true });
  }
  return undefined;
};

/**
 * @param {string} folder
 * @param {string} owner
 */
const letGo = (folder, owner) => {
  rmSync(path.join(folder, owner), { force: true });
  try {
    rmdirSync(folder);
  } catch (error) {
    // The next owner may have moved in, and even out, already.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(String(codeOf(error)))) throw error;
  }
};

/**
 * @template T
 * @param {string} folder
 * @param {() => Promise<T>} work
 * @param {(pid: number) => void} onWait called once, when another process is at work
 * @returns {Promise<T>}
 */
export const holding = async (folder, work, onWait) => {
  mkdirSync(path.dirname(folder), { recursive: true });
  const owner = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const giveUpAt = Date.now() + patienceMs;
  for (let waited = false; !tryTake(folder, owner); ) {
    const pid = livingOwner(folder);
    if (pid === undefined) continue;
    if (!waited) onWait(pid);
    waited = true;
    if (Date.now() > giveUpAt) {
      throw new SetupError(`process ${pid} has held ${folder} for 15 minutes. If it is no set-up, remove the folder.`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  try {
    return await work();
  } finally {
    letGo(folder, owner);
  }
};
