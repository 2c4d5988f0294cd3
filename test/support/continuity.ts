/**
 * Whether what was shown is one uninterrupted playback: of a clip whose every picture carries its number and which may
 * loop, the number shown and the media time at which it is shown must go together all the way.
 */
import type { ShownPicture } from './player-page.ts';

export type Grid = { readonly frames: number; readonly fps: number };

/** By how many pictures the stamps are ahead of media time; the same for every picture when nothing is missing or doubled. */
export const offsetOf = ({ stamp, mediaTime }: ShownPicture, { frames, fps }: Grid): number | null =>
  stamp === null ? null : (((stamp - Math.round(mediaTime * fps)) % frames) + frames) % frames;

/** A player's clock may lead or lag by so much beside that of the screen. */
const looseSeconds = 0.3;
/** No picture for so long is a picture that stands still. */
const frozenSeconds = 0.6;

export type Leave = {
  /** The fastest that the player plays. */
  readonly rate?: number;
  /** By how many pictures it may step back: whoever replaces what is being shown shows that again. */
  readonly back?: number;
};

/** What is wrong between the pictures. */
export const interruptions = (pictures: readonly ShownPicture[], grid: Grid, { rate = 1.1, back = 0 }: Leave = {}): string[] => {
  const faults: string[] = [];
  let last: ShownPicture | undefined;
  for (const picture of pictures) {
    const at = `at ${picture.mediaTime.toFixed(3)} s`;
    const offset = offsetOf(picture, grid);
    if (offset === null) faults.push(`an unreadable picture ${at}`);
    if (!last) {
      last = picture;
      continue;
    }
    const before = offsetOf(last, grid);
    // Times of pictures are rounded by containers: half a picture either way.
    const moved = offset === null || before === null ? 0 : Math.min(Math.abs(offset - before), grid.frames - Math.abs(offset - before));
    if (moved > 1) faults.push(`picture ${picture.stamp} after ${last.stamp}, ${at} after ${last.mediaTime.toFixed(3)} s`);
    const media = picture.mediaTime - last.mediaTime;
    if (media * grid.fps < -back - 0.5) faults.push(`back by ${(-media).toFixed(3)} s ${at}`);
    // Not `shownAt`: a picture that is expected on the screen too late would make a leap of the one after it.
    const wall = (picture.submittedAt - last.submittedAt) / 1000;
    if (media > wall * rate + looseSeconds) faults.push(`a leap of ${media.toFixed(3)} s in ${wall.toFixed(3)} s ${at}`);
    else if (media > frozenSeconds * rate) faults.push(`no picture for ${media.toFixed(3)} s ${at}`);
    last = picture;
  }
  return faults;
};
