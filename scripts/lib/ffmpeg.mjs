/** ffmpeg: the one that FFMPEG_PATH or PATH names; on Debian and Ubuntu it is installed when that is permitted. */
import { aptAdvice, aptInstall, isDebian } from './apt.mjs';
import { SetupError } from './place.mjs';
import { findCommand, isExecutable } from './run.mjs';

const advice = () => {
  if (isDebian()) return `Install it with:\n    ${aptAdvice(['ffmpeg'])}`;
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

/** @param {string} why */
const install = async (why) => {
  if (process.env.FFMPEG_PATH) throw new SetupError(`${why}. Correct it, or unset it to use the ffmpeg in PATH.`);
  try {
    await aptInstall(['ffmpeg']);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    throw new SetupError(`${why}: ${error.message}. ${advice()}\nor set FFMPEG_PATH to where it is, and start again.`);
  }
};

export const ffmpeg = { name: 'ffmpeg', missing: lacksFfmpeg, make: install };

/** Tests also judge by ffprobe, which every package of ffmpeg brings. */
export const ffprobe = {
  name: 'ffprobe',
  missing: () => (findCommand(['ffprobe']) ? undefined : 'ffprobe is not in PATH'),
  make: install,
};
