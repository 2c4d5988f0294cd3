/** Every setting of hls.js that is not its default, each with its reason. */
import type { HlsConfig } from 'hls.js';

/** How far behind its target a live viewing may be and still count as live, in seconds. */
export const liveEdgeTolerance = 2.5;

/** Further behind than this, playing faster would take most of a minute: jump. Seconds. */
export const jumpBehind = 4;

export type Situation = {
  readonly live: boolean;
  /** Whoever watches has told the browser to save data: what is the most then is set where the sizes are known. */
  readonly saving: boolean;
  /** Measured in an earlier viewing, bit/s. */
  readonly knownBandwidth: number | null;
};

export const hlsSettings = ({ live, saving, knownBandwidth }: Situation): Partial<HlsConfig> => ({
  lowLatencyMode: true,

  // 1 is the default and means that hls.js leaves the speed alone. Catching up is catch-up.ts's: the one of hls.js
  // changed the speed 44 times in 20 s of an undisturbed show.
  maxLiveSyncPlaybackRate: 1,
  // The default stands back by a whole second after each stall, for good. catch-up.ts stands back by a part, and comes
  // back when the line has been calm. Where it stands is PART-HOLD-BACK: nearer is possible, and the first late part
  // would be seen.
  liveSyncOnStallIncrease: 0,
  // Infinite duration is how controls know that this is live; the end of the show makes it finite. A file that is still
  // being uploaded lasts as long as what is listed of it, and grows.
  liveDurationInfinity: live,

  // The first fragment is on its way before the media element is attached.
  startFragPrefetch: true,
  // Our media is fMP4, which needs no transmuxing: a worker would be a second download and a copy of every part.
  enableWorker: false,

  // The default 0.5 Mbit/s starts everyone on the lowest rung, and a measuring fragment delays the first picture.
  testBandwidth: false,
  abrEwmaDefaultEstimate: knownBandwidth ?? 3_000_000,
  // No more pixels than the window shows; it would take away any other limit.
  capLevelToPlayerSize: !saving,

  // A day-long show must not fill the memory of a phone; a little is kept so that going back is instant.
  backBufferLength: live ? 30 : 90,
});

/** A measured bandwidth that is worth starting from. */
export const usefulBandwidth = (text: string | null): number | null => {
  const value = Number(text);
  return text !== null && Number.isFinite(value) && value >= 200_000 ? Math.min(value, 20_000_000) : null;
};
