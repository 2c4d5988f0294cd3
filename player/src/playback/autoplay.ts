/**
 * Starts by itself: with sound where the browser allows it, else muted, else it waits for a tap.
 * Browsers refuse with NotAllowedError; any other failure is the engine's to report.
 */
export type Start = 'sound' | 'muted' | 'refused' | 'interrupted';

const tryPlay = async (video: HTMLVideoElement): Promise<'yes' | 'refused' | 'interrupted'> => {
  try {
    await video.play();
    return 'yes';
  } catch (error) {
    return error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'interrupted';
  }
};

export const startPlaying = async (video: HTMLVideoElement): Promise<Start> => {
  const first = await tryPlay(video);
  if (first !== 'refused') return first === 'yes' ? 'sound' : first;
  if (video.muted) return 'refused';
  video.muted = true;
  const second = await tryPlay(video);
  return second === 'yes' ? 'muted' : second;
};
