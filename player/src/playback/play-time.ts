/** For how long a media element has really played: not how far it was sent, nor how long it stood. */

/** Tells of each piece of time that has played, in seconds of the media. Returns the way to stop it. */
export const watchPlayTime = (video: HTMLVideoElement, tell: (seconds: number) => void): (() => void) => {
  const gone = new AbortController();
  let last = video.currentTime;
  const here = (): void => void (last = video.currentTime);
  // The time is at the new place before the first `timeupdate` from there.
  video.addEventListener('seeking', here, { signal: gone.signal });
  video.addEventListener('emptied', here, { signal: gone.signal });
  const look = (): void => {
    const seconds = video.currentTime - last;
    here();
    if (seconds > 0 && !video.seeking) tell(seconds);
  };
  video.addEventListener('timeupdate', look, { signal: gone.signal });
  return () => gone.abort();
};
