/** The browser's own HLS, only where there is no MSE (an iPhone before iOS 17.1): it has no settings and few words. */
import type { Engine, EngineEvents, EngineStart } from './hls-engine.ts';

export const playsNatively = (video: HTMLVideoElement): boolean =>
  video.canPlayType('application/vnd.apple.mpegurl') !== '';

/**
 * Safari is said to open SAMPLE-AES with keys of the format `identity` by itself, and not to play by ClearKey (WebKit bug
 * 231006). Chromium fails on the former. The method is WebKit's alone.
 */
export const opensByItself = (video: HTMLVideoElement): boolean => 'getStartDate' in video && playsNatively(video);

/** Safari tells the date of the media's zero; other browsers do not know the method. */
const startDate = (video: HTMLVideoElement): number | null => {
  const { getStartDate } = video as { getStartDate?: () => Date };
  const date = getStartDate?.call(video).getTime() ?? NaN;
  return Number.isFinite(date) ? date : null;
};

export const startNative = (video: HTMLVideoElement, { source, at }: EngineStart, events: EngineEvents): Engine => {
  const gone = new AbortController();
  const on = (name: keyof HTMLMediaElementEventMap, listener: () => void): void =>
    video.addEventListener(name, listener, { signal: gone.signal });
  on('error', () => {
    const code = video.error?.code;
    const what = `native ${code ?? ''} ${video.error?.message ?? ''}`;
    if (code === MediaError.MEDIA_ERR_NETWORK) events.onGiveUp('network', what);
    else events.onGiveUp(code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED ? 'unsupported' : 'media', what);
  });
  on('loadedmetadata', () => {
    if (at !== null) video.currentTime = at;
  });
  on('durationchange', () => events.onListed());
  video.src = source;
  const window = (): { from: number; to: number } | null => {
    const { seekable } = video;
    return seekable.length === 0 ? null : { from: seekable.start(0), to: seekable.end(seekable.length - 1) };
  };
  return {
    live() {
      const listed = window();
      if (video.duration !== Infinity || !listed) return null;
      return { latency: listed.to - video.currentTime, target: 0, position: listed.to };
    },
    window,
    dateAt(time) {
      const zero = startDate(video);
      return zero === null ? null : zero + time * 1000;
    },
    origin: () => 0,
    sounds: () => [],
    sound: () => null,
    chooseSound() {},
    qualities: () => [],
    chosenQuality: () => null,
    quality: () => null,
    chooseQuality() {},
    retryNow() {},
    destroy() {
      gone.abort();
      video.removeAttribute('src');
      video.load();
    },
  };
};
