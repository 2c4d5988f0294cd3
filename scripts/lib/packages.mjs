/**
 * npm packages, exactly as the lock file says. npm writes what it installed into node_modules/.package-lock.json
 * as its last act, so comparing the two files finds a missing, an old and a half-done installation alike.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, say } from './place.mjs';
import { runQuietly } from './run.mjs';

/** @typedef {{ version?: string, integrity?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }} Entry */

/** @returns {Record<string, Entry> | undefined}
 * @param {string} file */
const packagesIn = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined; // not there, or cut off: either way it says nothing
  }
};

/** A container or a server without a compiler's tools wants the production packages only. */
const isProduction = () => process.env.MILLRACE_PRODUCTION === '1';

export const packages = {
  name: 'npm packages',

  missing: () => {
    const wanted = packagesIn(inRoot('package-lock.json'));
    if (!wanted) return 'package-lock.json cannot be read';
    const installed = packagesIn(inRoot('node_modules/.package-lock.json'));
    if (!installed) return 'node_modules is not there';
    for (const [place, entry] of Object.entries(wanted)) {
      if (place === '') continue;
      const found = installed[place];
      if (!found) {
        // An optional package of another platform is left out by npm itself.
        if (entry.optional || (isProduction() && (entry.dev || entry.devOptional))) continue;
        return `${path.basename(place)} is missing`;
      }
      if (found.version !== entry.version || found.integrity !== entry.integrity) {
        return `${path.basename(place)} is not the version of the lock file`;
      }
      if (!existsSync(inRoot(place, 'package.json'))) return `${path.basename(place)} was removed`;
    }
    return undefined;
  },

  /** @param {string} why */
  make: async (why) => {
    say(`installing npm packages (${why}) …`);
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
    // Said out loud, because NODE_ENV and omit settings of the machine would leave out what the next check misses.
    args.push('--include=optional', isProduction() ? '--omit=dev' : '--include=dev');
    // Inside an npm script PATH begins with node_modules/.bin, whose node this very command replaces: npm is run
    // by the Node that runs the npm outside.
    const { npm_execpath: npm, npm_node_execpath: node } = process.env;
    if (npm && node && path.basename(npm) === 'npm-cli.js') await runQuietly('npm ci', node, [npm, ...args]);
    else await runQuietly('npm ci', 'npm', args);
  },
};
