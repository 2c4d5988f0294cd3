/** Where things lie, and the one way in which set-up speaks. Everything in scripts/ runs on Node 18 too. */
import { fileURLToPath } from 'node:url';
import path from 'node:path';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** @param {string[]} parts */
export const inRoot = (...parts) => path.join(root, ...parts);

/** Everything that can be made again: clips, compile cache, unpacked browser. Never data.
 * @param {string[]} parts */
export const inCache = (...parts) => inRoot('.cache', ...parts);

/** @param {string} line */
export const say = (line) => process.stderr.write(`set-up: ${line}\n`);

/** A failure that its sentence explains; a stack would only hide it. */
export class SetupError extends Error {}
