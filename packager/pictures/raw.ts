/** Pictures as they come out of a decoder: 4:2:0, full range, BT.601, as JPEG has it. Even sizes. */
import type { Grid, Size } from './storyboard.ts';

export type RawPicture = Size & { readonly data: Buffer };

export const bytesOf = ({ width, height }: Size): number => (width * height * 3) / 2;

const black = { luma: 0, chroma: 128 };

/** Side by side, row by row; where there is none it is black. */
export const sheetOf = (cells: readonly (Buffer | null)[], cell: Size, grid: Grid): RawPicture => {
  const [width, height] = [cell.width * grid.columns, cell.height * grid.rows];
  const data = Buffer.alloc(bytesOf({ width, height }), black.chroma);
  data.fill(black.luma, 0, width * height);
  for (const [index, from] of cells.entries()) {
    if (!from) continue;
    const [column, row] = [index % grid.columns, Math.floor(index / grid.columns)];
    let [at, source] = [0, 0];
    // Luma, and twice a quarter of it.
    for (const share of [1, 2, 2]) {
      const [wide, high, whole] = [cell.width / share, cell.height / share, width / share];
      for (let line = 0; line < high; line += 1) {
        from.copy(data, at + (row * high + line) * whole + column * wide, source + line * wide, source + (line + 1) * wide);
      }
      at += whole * (height / share);
      source += wide * high;
    }
  }
  return { width, height, data };
};
