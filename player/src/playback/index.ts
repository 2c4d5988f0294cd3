/**
 * The playback engine: one viewing on one <video>, without any user interface.
 *
 *   createPlayback(video, { source, live, onState, onSoundBlocked }) → Playback
 *
 * hls.js plays wherever there is MSE, also where the browser says that it plays HLS by itself: Chromium answers
 * "maybe" and then fails on encrypted fMP4, and native players have no low-latency settings.
 */
import { startPlaying } from './autoplay.ts';
import { catchUpSpeed } from './catch-up.ts';
import { startHls } from './hls-engine.ts';
import type { Engine, EngineEvents } from './hls-engine.ts';
import { playsNatively, startNative } from './native-engine.ts';
import { jumpAfterStall, liveEdgeTolerance } from './settings.ts';
import type { Playback, PlaybackOptions, PlaybackState } from './state.ts';

export type { Playback, PlaybackState };

/** Starts the download of hls.js; a page that will play calls this before it knows what. */
export const loadEngine = () => import('hls.js');

export const createPlayback = (video: HTMLVideoElement, options: PlaybackOptions): Playback => {
  let state: PlaybackState = { is: 'loading' };
  let engine: Engine | null = null;
  let destroyed = false;
  let lastFailure = '';
  let networkLost = false;
  let version = 'native';
  /** The viewer wants the live edge, not a place of his own in the past. */
  let following = options.live;
  const gone = new AbortController();

  const become = (next: PlaybackState): void => {
    const same = JSON.stringify(next) === JSON.stringify(state);
    // An error stays until `retry`; events of a media element that is being given up must not hide it.
    if (destroyed || same || state.is === 'error') return;
    state = next;
    options.onState(next);
  };

  const distance = (): number | null => {
    const edge = engine?.live() ?? null;
    return edge && edge.position - video.currentTime;
  };
  const atLiveEdge = (): boolean => (distance() ?? Infinity) < liveEdgeTolerance;

  /** Speeds up a viewing that follows the edge and fell behind; any other plays as it is. */
  const keepUp = (): void => {
    if (!options.live) return;
    const behind = following ? distance() : null;
    const { buffered, currentTime } = video;
    const inHand = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - currentTime;
    const speed = behind === null ? 1 : catchUpSpeed(video.playbackRate, { behind, buffered: inHand });
    if (speed !== video.playbackRate) video.playbackRate = speed;
  };

  const goLive = (): void => {
    const edge = engine?.live();
    if (edge) video.currentTime = edge.position;
    following = true;
    void start();
  };

  const start = async (): Promise<void> => {
    const how = await startPlaying(video);
    if (destroyed) return;
    if (how === 'muted') options.onSoundBlocked(true);
    if (how === 'refused') become({ is: 'paused', refused: true });
  };

  const events: EngineEvents = {
    onNetworkLost() {
      // What is buffered still plays: words come only when the picture stands.
      if (video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) become({ is: 'stalled', because: 'network' });
      networkLost = true;
    },
    onNetworkBack() {
      networkLost = false;
      if (state.is === 'stalled' && !video.paused && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA)
        become({ is: 'playing' });
    },
    onGiveUp(code, what) {
      lastFailure = what;
      become({ is: 'error', code });
    },
  };

  const on = (name: keyof HTMLMediaElementEventMap, listener: () => void): void =>
    video.addEventListener(name, listener, { signal: gone.signal });

  on('playing', () => {
    const stalled = state.is === 'stalled';
    become({ is: 'playing' });
    if (stalled && following && (distance() ?? 0) > jumpAfterStall) goLive();
  });
  on('waiting', () => {
    if (options.live) video.playbackRate = 1;
    if (state.is !== 'loading') become({ is: 'stalled', because: networkLost ? 'network' : 'data' });
  });
  on('pause', () => {
    if (!video.ended && state.is !== 'loading') become({ is: 'paused', refused: false });
    following = false;
  });
  on('ended', () => become({ is: 'ended' }));
  on('seeking', () => {
    following = atLiveEdge();
  });
  on('timeupdate', () => {
    if (!following && !video.paused && atLiveEdge()) following = true;
    keepUp();
  });
  on('volumechange', () => {
    if (!video.muted) options.onSoundBlocked(false);
  });
  addEventListener('online', () => engine?.retryNow(), { signal: gone.signal });

  const load = async (): Promise<void> => {
    let Hls;
    try {
      ({ default: Hls } = await loadEngine());
    } catch (error) {
      return events.onGiveUp('player', String(error));
    }
    if (destroyed) return;
    if (Hls.isSupported()) {
      version = `hls.js ${Hls.version}`;
      engine = startHls(Hls, video, options.source, options.live, events);
    } else if (playsNatively(video)) {
      engine = startNative(video, options.source, events);
    } else {
      return events.onGiveUp('unsupported', 'no MSE');
    }
    await start();
  };

  if (options.muted) video.muted = true;
  options.onState(state);
  void load();

  return {
    // Before the first picture the engine measures from zero.
    latency: () => (state.is === 'loading' ? null : (engine?.live()?.latency ?? null)),
    atLiveEdge,
    goLive,
    retry() {
      engine?.destroy();
      engine = null;
      networkLost = false;
      state = { is: 'loading' };
      options.onState(state);
      void load();
    },
    details() {
      const address = options.source.replace(/\/play\/[^/]+\//, '/play/…/');
      return [state.is === 'error' ? state.code : state.is, lastFailure, version, address, navigator.userAgent].join(
        '\n',
      );
    },
    destroy() {
      destroyed = true;
      gone.abort();
      engine?.destroy();
    },
  };
};
