/** The browser's own HLS, only where there is no MSE (an iPhone before iOS 17.1): it has no settings and few words. */
import type { Engine, EngineEvents } from './hls-engine.ts';

export const playsNatively = (video: HTMLVideoElement): boolean =>
  video.canPlayType('application/vnd.apple.mpegurl') !== '';

export const startNative = (video: HTMLVideoElement, source: string, events: EngineEvents): Engine => {
  const onError = (): void => {
    const code = video.error?.code;
    const what = `native ${code ?? ''} ${video.error?.message ?? ''}`;
    if (code === MediaError.MEDIA_ERR_NETWORK) events.onGiveUp('network', what);
    else events.onGiveUp(code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED ? 'unsupported' : 'media', what);
  };
  video.addEventListener('error', onError);
  video.src = source;
  return {
    live() {
      if (video.duration !== Infinity || video.seekable.length === 0) return null;
      const edge = video.seekable.end(video.seekable.length - 1);
      return { latency: edge - video.currentTime, target: 0, position: edge };
    },
    retryNow() {},
    destroy() {
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
  };
};
