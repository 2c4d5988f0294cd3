/** Packages of Debian and Ubuntu: installed when that is permitted, which is for root, or by sudo without a password. */
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { say, SetupError } from './place.mjs';
import { findCommand, runQuietly } from './run.mjs';

export const isDebian = () => {
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

/** @param {readonly string[]} packages */
export const aptAdvice = (packages) => `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;

/** Which of the packages are not installed; nobody knows but on Debian.
 * @param {readonly string[]} packages */
export const notInstalled = (packages) => {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...packages], { encoding: 'utf8' });
  const lines = (stdout ?? '').split('\n');
  return packages.filter((name) => !lines.includes(`${name} installed`));
};

/** @param {string[]} prefix @param {string[]} args */
const aptGet = async (prefix, ...args) => {
  // Another apt-get may be at work, as on a machine that has just been started.
  const [file = '', ...rest] = [...prefix, 'apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args];
  await runQuietly(`apt-get ${args[0]}`, file, rest, { DEBIAN_FRONTEND: 'noninteractive' });
};

/** Installs them, or throws a SetupError that says why not.
 * @param {readonly string[]} packages */
export const aptInstall = async (packages) => {
  const prefix = isDebian() ? rootPrefix() : undefined;
  if (!prefix) throw new SetupError('set-up may not install packages here');
  say(`installing ${packages.join(', ')} with apt-get …`);
  await aptGet(prefix, 'update');
  await aptGet(prefix, 'install', '-y', '--no-install-recommends', ...packages);
};
