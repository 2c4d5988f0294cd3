/** ffmpeg: the one that FFMPEG_PATH or PATH names; on Debian and Ubuntu it is installed when that is permitted. */
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { say, SetupError } from './place.mjs';
import { findCommand, isExecutable, runQuietly } from './run.mjs';

const isDebian = () => {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release) && findCommand(['apt-get']) !== undefined;
  } catch {
    return false;
  }
};

/** The words before a command that must be run by root; undefined when nobody lets us. */
const rootPrefix = () => {
  if (process.getuid?.() === 0) return [];
  const sudo = findCommand(['sudo']);
  if (sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0) return [sudo, '-n'];
  return undefined;
};

const advice = () => {
  if (isDebian()) return 'Install it with:\n    sudo apt-get update && sudo apt-get install -y ffmpeg';
  if (process.platform === 'darwin') return 'Install it with:\n    brew install ffmpeg';
  return (
    'Install ffmpeg 5.1 or newer with your package manager (Fedora: dnf install ffmpeg; Alpine: apk add ffmpeg; ' +
    'Arch: pacman -S ffmpeg)'
  );
};

const lacksFfmpeg = () => {
  const named = process.env.FFMPEG_PATH;
  if (named) return isExecutable(named) ? undefined : `FFMPEG_PATH names ${named}, which is no program`;
  return findCommand(['ffmpeg']) ? undefined : 'ffmpeg is not in PATH';
};

/** @param {string[]} prefix @param {string[]} args */
const aptGet = async (prefix, ...args) => {
  const [file = '', ...rest] = [...prefix, 'apt-get', ...args];
  await runQuietly(`apt-get ${args[0]}`, file, rest, { DEBIAN_FRONTEND: 'noninteractive' });
};

/** @param {string} why */
const install = async (why) => {
  if (process.env.FFMPEG_PATH) throw new SetupError(`${why}. Correct it, or unset it to use the ffmpeg in PATH.`);
  const prefix = isDebian() ? rootPrefix() : undefined;
  if (!prefix) throw new SetupError(`${why}. ${advice()}\nor set FFMPEG_PATH to where it is, and start again.`);
  say('installing ffmpeg with apt-get …');
  try {
    await aptGet(prefix, 'update');
    await aptGet(prefix, 'install', '-y', '--no-install-recommends', 'ffmpeg');
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : error}\n${advice()}`);
  }
};

export const ffmpeg = { name: 'ffmpeg', missing: lacksFfmpeg, make: install };

/** Tests also judge by ffprobe, which every package of ffmpeg brings. */
export const ffprobe = {
  name: 'ffprobe',
  missing: () => (findCommand(['ffprobe']) ? undefined : 'ffprobe is not in PATH'),
  make: install,
};
