/** Node 24: the machine's own when it is new enough, else the one that came with the npm packages. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inRoot, SetupError } from './place.mjs';

const leastMajor = 24;
const leastMinor = 7; // crypto.argon2

/** @param {string} version as in "24.7.0" */
export const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
};

/** The Node that runs the server and the tests; undefined before set-up has brought it. */
export const node24 = () => {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const packaged = inRoot('node_modules', `node-${process.platform}-${process.arch}`, 'bin/node');
  return existsSync(packaged) ? packaged : undefined;
};

export const requireNode24 = () => {
  const node = node24();
  if (!node) {
    throw new SetupError(
      `Millrace needs Node ${leastMajor}.${leastMinor} or newer; this is ${process.versions.node}, and npm has no ` +
        `Node 24 for ${process.platform}-${process.arch}. Install it from https://nodejs.org and start again.`,
    );
  }
  return node;
};

export const runtime = {
  name: 'Node 24',
  missing: () => (node24() ? undefined : 'the packages hold none for this machine'),
  make: async () => {
    requireNode24();
  },
};

/** Alpine's musl cannot run a glibc binary: said once after an installation, not at every start. */
export const proveNode24 = () => {
  const node = requireNode24();
  if (node === process.execPath) return;
  try {
    execFileSync(node, ['--version'], { stdio: 'ignore' });
  } catch (error) {
    throw new SetupError(
      `The Node 24 from npm does not run on this machine (${error instanceof Error ? error.message : error}). ` +
        'Install Node 24.7 or newer from https://nodejs.org or your distribution and start again.',
    );
  }
};
