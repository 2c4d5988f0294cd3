/**
 * The playback engine: one viewing on one <video>, without any user interface.
 *
 *   createPlayback(video, { source, live, onState, onSoundBlocked, … }) → Playback
 *
 * hls.js plays wherever there is MSE, also where the browser says that it plays HLS by itself: Chromium answers
 * "maybe" and then fails on encrypted fMP4, and native players have no low-latency settings.
 */
import { startPlaying } from './autoplay.ts';
import { followCaptions } from './captions.ts';
import { createPace } from './catch-up.ts';
import { beginningOf, bufferedUntil, clampTo, fellOut } from './dvr.ts';
import type { Window } from './dvr.ts';
import { startHls } from './hls-engine.ts';
import type { Engine, EngineEvents, EngineStart } from './hls-engine.ts';
import { opensByItself, playsNatively, startNative } from './native-engine.ts';
import { keepServerTime, serverNow } from './server-clock.ts';
import { liveEdgeTolerance } from './settings.ts';
import type { Moment, Playback, PlaybackOptions, PlaybackState } from './state.ts';

export type { Moment, Playback, PlaybackState };

/** Starts the download of hls.js; a page that will play calls this before it knows what. */
export const loadEngine = () => import('hls.js');

/** A beginning that is this near to that of the show is it. Seconds. */
const sameBeginning = 0.5;

export const createPlayback = (video: HTMLVideoElement, options: PlaybackOptions): Playback => {
  let state: PlaybackState = { is: 'loading' };
  let engine: Engine | null = null;
  let destroyed = false;
  let lastFailure = '';
  let networkLost = false;
  let version = 'native';
  /** The viewer wants the live edge, not a place of his own in the past. */
  let following = options.live && (options.start ?? null) === null;
  /** The viewer wants it to run. An element may stand all the same: browsers pause one that fails, and one that is emptied. */
  let running = false;
  /** Live was said to be live, and the list has ended since. */
  let seenLive = false;
  let ended = !options.live;
  /** Where it is to begin, until its first media has told where on the element's clock that is. */
  let wanted = options.start ?? null;
  let fresh = options.fresh ?? false;
  const pace = createPace();
  const gone = new AbortController();

  const become = (next: PlaybackState): void => {
    const same = JSON.stringify(next) === JSON.stringify(state);
    // An error stays until `retry`; events of a media element that is being given up must not hide it.
    if (destroyed || same || state.is === 'error') return;
    state = next;
    options.onState(next);
  };
  /** The live edge of a show. The list of a file that is still being uploaded grows too, and has none. */
  const liveEdge = () => (ended ? null : (engine?.live() ?? null));
  const distance = (): number | null => {
    const edge = liveEdge();
    return edge && edge.position - video.currentTime;
  };
  const atLiveEdge = (): boolean => (distance() ?? Infinity) < liveEdgeTolerance;
  const listed = (): Window | null => {
    if (!ended) return engine?.window() ?? null;
    if (Number.isFinite(video.duration)) return { from: engine?.window()?.from ?? 0, to: video.duration };
    return engine?.window() ?? null;
  };
  /** The list still loses its beginning: it does not start with the show. */
  const moves = (): boolean => {
    const from = listed()?.from ?? 0;
    return !ended && from + (engine?.origin() ?? 0) > sameBeginning;
  };
  /** Keeps a viewing that follows the edge at its distance; any other plays as it is. */
  const keepUp = (): void => {
    if (ended) return;
    const edge = following && !video.paused && !video.seeking ? liveEdge() : null;
    if (!edge) pace.rest();
    const buffered = bufferedUntil(video.buffered, video.currentTime) - video.currentTime;
    const { speed, jump } = edge ? pace.next({ ...edge, at: performance.now(), buffered }) : { speed: 1, jump: false };
    if (jump) return goLive();
    if (speed !== video.playbackRate) video.playbackRate = speed;
  };
  const seek = (time: number): void => {
    const window = listed();
    if (window) video.currentTime = clampTo({ from: window.from, to: liveEdge()?.position ?? window.to }, time);
  };
  const goLive = (): void => {
    const edge = liveEdge();
    if (edge) video.currentTime = edge.position - pace.extra();
    following = true;
    pace.rest();
    void start();
  };
  const startOver = (): void => {
    const window = listed();
    if (!window) return;
    seek(beginningOf(window, moves()));
    void start();
  };
  /** What was paused for longer than is listed cannot go on where it stands. */
  const comeBackIn = (): void => {
    const window = listed();
    if (ended || following || !window || state.is === 'loading') return;
    if (!fellOut(window, video.currentTime, bufferedUntil(video.buffered, video.currentTime))) return;
    video.currentTime = beginningOf(window, true);
    options.onFellOut?.();
  };
  /** The first media tells what the clock of the element means; only then a time of the show can be found on it. */
  const goWhereWanted = (): void => {
    const origin = engine?.origin() ?? null;
    if (wanted === null || origin === null || !options.live) return;
    const there = wanted - origin;
    wanted = null;
    if (Math.abs(there - video.currentTime) > 1) seek(there);
  };
  const start = async (): Promise<void> => {
    running = true;
    const how = await startPlaying(video);
    if (destroyed) return;
    if (how === 'muted') options.onSoundBlocked(true);
    if (how !== 'refused') return;
    running = false;
    become({ is: 'paused', refused: true });
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
    onMissing: () => options.onMissing?.(),
    onListed() {
      const live = engine?.live() !== null;
      if (live) seenLive = true;
      if (!live && seenLive && !ended) {
        ended = true;
        video.playbackRate = 1;
        options.onLiveEnd?.();
      }
      // Before hls.js looks: it would take whoever is outside of the list to the live edge.
      if (!video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) comeBackIn();
    },
    onSounds: () => options.onTracks?.(),
    onQualities: () => options.onTracks?.(),
    onGiveUp(code, what) {
      lastFailure = what;
      if ((code === 'noClearKey' || code === 'insecure') && opensByItself(video)) {
        engine?.destroy();
        playNatively();
        return void start();
      }
      become({ is: 'error', code });
    },
  };
  const on = (name: keyof HTMLMediaElementEventMap, listener: () => void): void =>
    video.addEventListener(name, listener, { signal: gone.signal });
  on('playing', () => {
    become({ is: 'playing' });
    goWhereWanted();
  });
  on('play', () => {
    running = true;
    comeBackIn();
  });
  on('loadedmetadata', () => {
    // The engine has begun anew behind a failure.
    if (running && video.paused) void start();
  });
  on('waiting', () => {
    if (!ended) video.playbackRate = 1;
    if (!ended && following && !video.seeking && state.is === 'playing') pace.stalled(performance.now());
    if (state.is !== 'loading') become({ is: 'stalled', because: networkLost ? 'network' : 'data' });
    comeBackIn();
  });
  on('pause', () => {
    // A failure paused it, and nobody's wish: the engine mends it, or gives up.
    if (video.error || (video.readyState === HTMLMediaElement.HAVE_NOTHING && state.is !== 'loading')) return;
    running = false;
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
    if (!ended && !document.hidden) void keepServerTime();
  });
  on('volumechange', () => {
    if (!video.muted) options.onSoundBlocked(false);
  });
  addEventListener('online', () => engine?.retryNow(), { signal: gone.signal });
  const captions = followCaptions(video, () => options.onTracks?.());

  const beginning = (): EngineStart => ({ source: options.source, live: options.live, at: wanted, fresh });
  const playNatively = (): void => {
    version = 'native';
    engine = startNative(video, beginning(), events);
  };
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
      engine = startHls(Hls, video, beginning(), events);
    } else if (playsNatively(video)) {
      playNatively();
    } else {
      return events.onGiveUp('unsupported', 'no MSE');
    }
    await start();
  };
  if (options.muted) video.muted = true;
  options.onState(state);
  void load();

  return {
    moment(): Moment | null {
      const window = listed();
      if (!window || state.is === 'loading') return null;
      const at = video.currentTime;
      const until = bufferedUntil(video.buffered, at);
      const position = liveEdge()?.position ?? null;
      const behind = position === null ? 0 : Math.max(0, position - at);
      const edge = !ended && behind < liveEdgeTolerance && !video.paused;
      return { live: !ended, window: { from: window.from, to: position ?? window.to }, moves: moves(), at, bufferedUntil: until, edge, behind };
    },
    latency() {
      // Before the first picture the engine measures from zero.
      const edge = state.is === 'loading' ? null : liveEdge();
      if (!engine || !edge) return null;
      const date = engine.dateAt(video.currentTime);
      const now = serverNow();
      // Without dates, or before the clock is known: what the engine believes.
      return date === null || now === null ? edge.latency : Math.max(0, (now - date) / 1000);
    },
    dateAt: (time) => engine?.dateAt(time) ?? null,
    showTime() {
      const origin = engine?.origin() ?? null;
      return origin === null || state.is === 'loading' ? null : video.currentTime + origin;
    },
    play: () => void start(),
    pause: () => video.pause(),
    seek,
    startOver,
    goLive,
    captions,
    sounds: {
      choices: () => engine?.sounds() ?? [],
      chosen: () => engine?.sound() ?? null,
      choose: (id) => engine?.chooseSound(id),
    },
    qualities: {
      choices: () => engine?.qualities() ?? [],
      chosen: () => engine?.chosenQuality() ?? null,
      shown: () => engine?.quality() ?? null,
      choose: (id) => engine?.chooseQuality(id),
    },
    retry() {
      engine?.destroy();
      engine = null;
      networkLost = false;
      // What failed may have been an old list.
      fresh = true;
      if (ended) wanted = video.currentTime;
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
      captions.destroy();
      engine?.destroy();
    },
  };
};
