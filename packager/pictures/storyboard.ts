/** The storyboard: which moments of a video it shows, how they lie side by side, and the WebVTT that says so. Pure. */
import { sheetName } from './names.ts';
import type { KeyMoment, Moments } from './moments.ts';

export type Grid = { readonly columns: number; readonly rows: number };
export type Size = { readonly width: number; readonly height: number };

/** However long a film is: whoever moves along it does not see more of them. */
export const mostCells = 600;
/** What a name counts up to. */
const mostSheets = 100;
const shortest = 2e6;
const longest = 10e6;
/** A short film has so many. */
const usualCells = 200;

/** µs from one picture to the next, whole ones. `every`: seconds; null: as goes with the length. */
export const stepOf = (length: number, every: number | null, { columns, rows }: Grid): number => {
  const wished = every === null ? Math.min(longest, Math.max(shortest, length / usualCells)) : every * 1e6;
  return Math.ceil(Math.max(wished, length / Math.min(mostCells, columns * rows * mostSheets)));
};

/** Of every step the key picture that is nearest to it: one for several steps where they lie farther apart. The first one is always there. */
export const chosenCells = ({ keys, length }: Moments, step: number): KeyMoment[] => {
  const chosen = keys.slice(0, 1);
  let nearest = 0;
  for (let due = step; due < length; due += step) {
    const farFrom = (index: number): number => Math.abs((keys[index]?.at ?? Infinity) - due);
    while (nearest + 1 < keys.length && farFrom(nearest + 1) <= farFrom(nearest)) nearest += 1;
    const key = keys[nearest];
    if (key && key !== chosen.at(-1)) chosen.push(key);
  }
  return chosen;
};

/** Of a sheet with so many cells on it: no wider than it has to be. */
export const gridOf = (cells: number, { columns, rows }: Grid): Grid => ({ columns: Math.min(columns, cells), rows: Math.min(rows, Math.ceil(cells / columns)) });

export const cellsOfSheet = (cells: number, grid: Grid): { readonly from: number; readonly to: number }[] => {
  const whole = grid.columns * grid.rows;
  return Array.from({ length: Math.ceil(cells / whole) }, (_, sheet) => ({ from: sheet * whole, to: Math.min(cells, (sheet + 1) * whole) }));
};

/** Each is shown from its own moment until the next one's; what comes before the first, by the first. */
export const storyboardVtt = (cells: readonly Pick<KeyMoment, 'at'>[], length: number, grid: Grid, cell: Size, version: string): string => {
  const whole = grid.columns * grid.rows;
  const cues = cells.flatMap(({ at }, index) => {
    const [from, to] = [index === 0 ? 0 : Math.round(at / 1000), Math.round((cells[index + 1]?.at ?? Math.max(length, at + 1000)) / 1000)];
    if (to <= from) return [];
    const inSheet = index % whole;
    const { columns } = gridOf(Math.min(whole, cells.length - (index - inSheet)), grid);
    const [x, y] = [(inSheet % columns) * cell.width, Math.floor(inSheet / columns) * cell.height];
    // Relative, so that whatever opened this opens those.
    return [`${clock(from)} --> ${clock(to)}\n${sheetName(Math.floor(index / whole))}?v=${version}#xywh=${x},${y},${cell.width},${cell.height}\n`];
  });
  return `WEBVTT\n\n${cues.join('\n')}`;
};

const two = (value: number): string => String(value).padStart(2, '0');

/** `01:02:03.004` */
export const clock = (ms: number): string => {
  const seconds = Math.floor(ms / 1000);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${String(ms % 1000).padStart(3, '0')}`;
};
