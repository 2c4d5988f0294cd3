/**
 * The end of a show that was watched to its end. hls.js 1.7 fetches no part any more once the list has ended: a last one
 * that came together with ENDLIST stays away for ever, and the media element waits for it instead of saying `ended`.
 */

/** Two parts of a third of a second: nobody misses more than that. Seconds. */
const lastParts = 0.7;
/** It is not merely late. ms. */
const patience = 1_000;

/** Calls `finish` when the element has stood for a while with nothing left to play but what will not come. Returns the way to stop it. */
export const watchForTheEnd = (video: HTMLVideoElement, isOver: () => boolean, finish: () => void): (() => void) => {
  const gone = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    const left = video.duration - video.currentTime;
    const stands = !video.paused && !video.ended && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (isOver() && stands && left < lastParts) finish();
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(look, patience);
  };
  video.addEventListener('waiting', soon, { signal: gone.signal });
  // The list may end after the element has begun to wait.
  video.addEventListener('durationchange', soon, { signal: gone.signal });
  return () => {
    gone.abort();
    clearTimeout(timer);
  };
};
