/**
 * Small pictures of what lies where in a video: a WebVTT track whose cues name a piece of an image by a media fragment
 * (`storyboard-0.jpg#xywh=160,90,160,90`). Pure: the file in, cells out.
 */
export type Cell = {
  /** Seconds from the beginning of the video. */
  readonly from: number;
  readonly to: number;
  readonly image: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** A day, one every two seconds. More is no storyboard of ours. */
const mostCells = 43_200;
const timing = /^(?:(\d+):)?(\d{1,2}):(\d{1,2}\.\d{3})[ \t]+-->[ \t]+(?:(\d+):)?(\d{1,2}):(\d{1,2}\.\d{3})/;
const piece = /#xywh=(?:pixel:)?(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})$/;

const seconds = (hours: string | undefined, minutes: string | undefined, rest: string | undefined): number =>
  Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(rest ?? 0);

/** `base`: the address of the track, to which those of the images are relative. What cannot be read is passed over. */
export const cellsOf = (vtt: string, base: string): readonly Cell[] => {
  const cells: Cell[] = [];
  const lines = vtt.split(/\r\n|\r|\n/);
  for (const [at, line] of lines.entries()) {
    const [, fromHours, fromMinutes, fromRest, toHours, toMinutes, toRest] = timing.exec(line) ?? [];
    const address = lines[at + 1]?.trim() ?? '';
    const [found, x, y, width, height] = piece.exec(address) ?? [];
    if (fromRest === undefined || found === undefined || !URL.canParse(address, base)) continue;
    const [from, to] = [seconds(fromHours, fromMinutes, fromRest), seconds(toHours, toMinutes, toRest)];
    if (to <= from || Number(width) === 0 || Number(height) === 0) continue;
    const { origin, pathname, search } = new URL(address, base);
    // Images of another site are none of ours: the page's policy would refuse them anyway.
    if (origin !== new URL(base).origin) continue;
    cells.push({ from, to, image: pathname + search, x: Number(x), y: Number(y), width: Number(width), height: Number(height) });
    if (cells.length === mostCells) break;
  }
  return cells.sort((a, b) => a.from - b.from);
};

/** The last that begins before or at a time; null: there is none at all. */
export const cellAt = (cells: readonly Cell[], time: number): Cell | null => {
  let [low, high] = [0, cells.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((cells[middle]?.from ?? Infinity) <= time) low = middle;
    else high = middle - 1;
  }
  return cells[low] ?? null;
};
