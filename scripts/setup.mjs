#!/usr/bin/env node
/**
 * Brings what this checkout lacks, and nothing else: `npm start`, `npm test` and the others run it first.
 * Plain JavaScript for Node 18 and newer, because it is what brings the newer one. With nothing missing it prints
 * nothing and costs a fraction of a second. `--test` brings what only tests need too.
 */
import { inCache, say, SetupError } from './lib/place.mjs';
import { holding } from './lib/hold.mjs';
import { packages } from './lib/packages.mjs';
import { proveNode24, runtime } from './lib/node24.mjs';
import { ffmpeg, ffprobe } from './lib/ffmpeg.mjs';
import { webApp } from './lib/web-app.mjs';
import { browser } from './lib/browser.mjs';
import { gstreamer, openssl, srtTools, vlc } from './lib/players.mjs';
import { tapBuild } from './lib/tap-build.mjs';

/** @typedef {{ name: string, missing: () => string | undefined, make: (why: string) => Promise<void>, optional?: boolean }} Step */

/** Each step needs those before it.
 * @type {Step[]} */
const steps = [packages, runtime, ffmpeg, webApp];
if (process.argv.includes('--test')) steps.push(ffprobe, browser, openssl, tapBuild, vlc, gstreamer, srtTools);

/** @param {Step} step @param {string} why */
const bring = async (step, why) => {
  await step.make(why);
  if (step === packages) proveNode24();
  const still = step.missing();
  if (still) throw new SetupError(`${step.name}: ${still}, and set-up could not help it`);
};

const bringWhatIsMissing = async () => {
  for (const step of steps) {
    const why = step.missing();
    if (!why) continue;
    try {
      await bring(step, why);
    } catch (error) {
      if (!step.optional || !(error instanceof SetupError)) throw error;
      say(`without ${step.name} some tests are skipped: ${error.message.replaceAll('\n', ' ')}`);
    }
  }
};

try {
  if (steps.some((step) => step.missing())) {
    await holding(inCache('setup.lock'), bringWhatIsMissing, (pid) => say(`waiting for the set-up of process ${pid} …`));
    say('done');
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
