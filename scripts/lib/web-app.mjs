/** The web app: built again when one of its sources, or a package, is not what it was at the last build. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inCache, inRoot, say } from './place.mjs';
import { requireNode24 } from './node24.mjs';
import { runQuietly } from './run.mjs';

const sources = inRoot('player');
const built = inRoot('player/dist');
const next = inCache('web-app-next');
const stamp = inCache('web-app.sha256');

/** @param {string} folder @returns {string[]} */
const filesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== 'dist' && entry.name !== 'node_modules' && !entry.name.includes('.test.'))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    })
    .sort();

const sourceHash = () => {
  const hash = createHash('sha256');
  for (const file of [inRoot('package-lock.json'), ...filesBelow(sources)]) {
    const content = readFileSync(file);
    hash.update(`${path.relative(sources, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
};

const lastBuild = () => (existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined);

export const webApp = {
  name: 'web app',

  missing: () => {
    if (!existsSync(path.join(built, 'index.html'))) return 'not built yet';
    return lastBuild() === sourceHash() ? undefined : 'its sources changed';
  },

  /** @param {string} why */
  make: async (why) => {
    say(`building the web app (${why}) …`);
    const hash = sourceHash();
    mkdirSync(inCache(), { recursive: true });
    rmSync(stamp, { force: true });
    const vite = inRoot('node_modules/vite/bin/vite.js');
    await runQuietly('vite build', requireNode24(), [vite, 'build', sources, '--outDir', next, '--emptyOutDir']);
    // Built beside and moved in whole: a server that is running meanwhile never sees half of it.
    rmSync(built, { recursive: true, force: true });
    renameSync(next, built);
    writeFileSync(stamp, hash);
  },
};
