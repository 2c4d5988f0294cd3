/** tap compiles its own test class from its plug-ins once; without it every test file fails. */
import { existsSync, readFileSync } from 'node:fs';
import { inRoot, say } from './place.mjs';
import { requireNode24 } from './node24.mjs';
import { runQuietly } from './run.mjs';

const tap = inRoot('node_modules/tap/dist/esm/run.mjs');
const testClass = inRoot('node_modules/@tapjs/test/dist/esm/index.js');

export const tapBuild = {
  name: 'tap',
  missing: () => {
    if (!existsSync(testClass) || !existsSync(inRoot('.tap/plugins'))) return 'not built yet';
    // It comes out of the package with all plug-ins; .taprc takes this one out.
    return readFileSync(testClass, 'utf8').includes('@tapjs/typescript') ? 'built without .taprc' : undefined;
  },
  make: async () => {
    say('preparing tap …');
    await runQuietly('tap build', requireNode24(), [tap, 'build']);
  },
};
