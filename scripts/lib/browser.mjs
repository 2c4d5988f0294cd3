/** The browser of the tests: the machine's Chromium, else the one that is packed into an npm package. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { inCache, inRoot, say, SetupError } from './place.mjs';
import { requireNode24 } from './node24.mjs';
import { findCommand, isExecutable, runQuietly } from './run.mjs';

const unpacked = inCache('browser');
const done = inCache('browser/unpacked');
const packed = inRoot('node_modules/@sparticuz/chromium/build/index.js');

/** @returns {{ executable: string, env: Record<string, string> } | undefined} */
const systemBrowser = () => {
  const named = process.env.CHROMIUM_PATH;
  if (named) return isExecutable(named) ? { executable: named, env: {} } : undefined;
  const executable = findCommand(['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']);
  return executable ? { executable, env: {} } : undefined;
};

/** It brings the libraries that a bare system lacks (NSS and others), and fonts. */
const packedBrowser = () =>
  existsSync(done)
    ? {
        executable: inCache('browser/chromium'),
        env: { LD_LIBRARY_PATH: inCache('browser/al2023/lib'), FONTCONFIG_FILE: inRoot('scripts/lib/fonts.conf') },
      }
    : undefined;

export const findBrowser = () => systemBrowser() ?? (process.env.CHROMIUM_PATH ? undefined : packedBrowser());

export const browser = {
  name: 'browser for tests',

  missing: () => (findBrowser() ? undefined : 'no Chromium in PATH'),

  make: async () => {
    if (process.env.CHROMIUM_PATH) throw new SetupError(`CHROMIUM_PATH names ${process.env.CHROMIUM_PATH}, which is no program`);
    say('unpacking Chromium for the tests …');
    rmSync(unpacked, { recursive: true, force: true });
    mkdirSync(unpacked, { recursive: true });
    // The package unpacks into the temporary folder, and its libraries only where it believes to be in AWS Lambda.
    const script = `import(${JSON.stringify(packed)}).then((module) => module.default.executablePath())`;
    await runQuietly('unpacking Chromium', requireNode24(), ['-e', script], {
      TMPDIR: unpacked,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    });
    writeFileSync(done, '');
    const found = packedBrowser();
    const trial = found && spawnSync(found.executable, ['--version'], { env: { ...process.env, ...found.env } });
    if (trial?.status !== 0) {
      rmSync(done);
      throw new SetupError(
        `the Chromium from npm does not run here (${trial?.stderr?.toString().trim() || trial?.error?.message}).\n` +
          'Install one (Debian: apt-get install -y chromium), or set CHROMIUM_PATH.',
      );
    }
  },
};
