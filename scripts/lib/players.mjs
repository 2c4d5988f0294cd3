/**
 * Programs of the tests that are no browsers. Players are optional: where they cannot be installed, the tests that need
 * them are skipped and say so.
 */
import { aptAdvice, aptInstall, isDebian, notInstalled } from './apt.mjs';
import { SetupError } from './place.mjs';
import { findCommand } from './run.mjs';

/** @param {readonly string[]} packages @param {string} why */
const install = async (packages, why) => {
  try {
    await aptInstall(packages);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const advice = isDebian() ? ` (${aptAdvice(packages)})` : '';
    throw new SetupError(`${why}; ${error.message}${advice}`);
  }
};

/** @param {string} name @param {string} command @param {readonly string[]} packages the fewest that play HLS and DASH */
const player = (name, command, packages) => {
  const missing = () => {
    if (!findCommand([command])) return `${command} is not in PATH`;
    const [lacking] = isDebian() ? notInstalled(packages) : [];
    return lacking && `${lacking} is not installed`;
  };
  return {
    name,
    optional: true,
    missing,
    /** @param {string} why */
    make: (why) => install(packages, why),
  };
};

/** Makes the certificates of the tests of TLS; wherever it comes from, and never to be done without. */
export const openssl = {
  name: 'openssl',
  missing: () => (findCommand(['openssl']) ? undefined : 'openssl is not in PATH'),
  /** @param {string} why */
  make: (why) => install(['openssl'], why),
};

export const vlc = player('VLC', 'cvlc', ['vlc-bin', 'vlc-plugin-base']);

/** No player, but it stands for whoever sends over SRT with libsrt's own tool. */
export const srtTools = player('srt-live-transmit', 'srt-live-transmit', ['srt-tools']);

/** The adaptive demuxers are in "good", those before them and the parsers of H.264 and MPEG-TS in "bad", the decoders in "libav". */
export const gstreamer = player('GStreamer', 'gst-launch-1.0', [
  'gstreamer1.0-tools',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-bad',
  'gstreamer1.0-libav',
]);
