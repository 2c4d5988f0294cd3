/** Runs one command of set-up quietly; what it printed is shown only when it failed. */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { root, SetupError } from './place.mjs';

const keptOutput = 8192;

/**
 * @param {string} what a few words for the error message
 * @param {string} file
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] added to the environment
 * @returns {Promise<void>}
 */
export const runQuietly = (what, file, args, env = {}) =>
  new Promise((resolve, reject) => {
    let tail = '';
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      tail = (tail + chunk.toString()).slice(-keptOutput);
    };
    const child = spawn(file, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new SetupError(`${what} could not start: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new SetupError(`${what} failed (${signal ?? `exit code ${code}`}):\n${tail.trimEnd()}`));
    });
  });

/**
 * The first of these commands that PATH holds, as an absolute path.
 * @param {string[]} names
 */
export const findCommand = (names) => {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const file = path.resolve(folder, name);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
};

/** @param {string} file */
export const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};
