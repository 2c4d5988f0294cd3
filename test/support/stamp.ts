/**
 * A number in the picture: 28 bits as black and white cells over the top sixth of the frame, in two rows of sixteen.
 * The last four cells are a check, so that a picture without a stamp, or one that was read between two, is `null`
 * and never a wrong number.
 *
 *     row 0:  n27 n26 … n12
 *     row 1:  n11 … n0   c3 c2 c1 c0      c = exclusive or of the seven nibbles of n, and 1010
 *
 * Cells of 1/16 of the width survive x264 at 400 kbit/s and scaling to 240 lines. A clip stamps the number of the
 * frame, a live push the wall clock in milliseconds (modulo 2^28, which is three days).
 */

/** A picture as one byte of light for each pixel, or one for every `step` bytes (4 for RGBA, of which green is read). */
export type Picture = {
  readonly pixels: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly step?: 1 | 4;
};

export const stampLimit = 2 ** 28;

/** The rows of a picture that the stamp takes. */
export const stampHeight = (height: number): number => Math.floor(height / 6);

/**
 * Reads the stamp. It uses nothing outside itself, so that a browser page can be given its source:
 * `page.addScriptTag({ content: readStampSource })`.
 */
export const readStamp = (picture: Picture): number | null => {
  const step = picture.step ?? 1;
  const offset = step === 4 ? 1 : 0;
  const cellWidth = picture.width / 16;
  const cellHeight = picture.height / 12;
  // The middle half of each cell, at up to 5 by 5 points: the edges belong to the codec and to scaling.
  const lightOf = (row: number, column: number): number => {
    let sum = 0;
    for (let down = 0; down < 5; down++) {
      for (let across = 0; across < 5; across++) {
        const y = Math.floor((row + 0.25 + down / 8) * cellHeight);
        const x = Math.floor((column + 0.25 + across / 8) * cellWidth);
        sum += picture.pixels[(y * picture.width + x) * step + offset] ?? 0;
      }
    }
    return sum / 25;
  };
  let number = 0;
  let check = 0;
  for (let cell = 0; cell < 32; cell++) {
    const light = lightOf(cell >> 4, cell & 15);
    if (light > 88 && light < 168) return null; // neither black nor white: no stamp, or two pictures in one
    const bit = light >= 168 ? 1 : 0;
    if (cell < 28) number = number * 2 + bit;
    else check = check * 2 + bit;
  }
  let expected = 0b1010;
  for (let rest = number; rest > 0; rest = Math.floor(rest / 16)) expected ^= rest % 16;
  return check === expected ? number : null;
};

/** The same as a script that defines `readStamp` in a page (types are stripped when Node loads this file). */
export const readStampSource = `const readStamp = ${readStamp.toString()};`;

/** Draws the stamp into a plane of luma. Black and white are those of video range. */
export const drawStamp = (luma: Uint8Array, width: number, height: number, number: number): void => {
  let check = 0b1010;
  for (let rest = number; rest > 0; rest = Math.floor(rest / 16)) check ^= rest % 16;
  const rowHeight = height / 12;
  for (let cell = 0; cell < 32; cell++) {
    const bit = cell < 28 ? Math.floor(number / 2 ** (27 - cell)) % 2 : (check >> (31 - cell)) & 1;
    const row = cell >> 4;
    const column = cell & 15;
    const fromX = Math.round((column * width) / 16);
    const toX = Math.round(((column + 1) * width) / 16);
    for (let y = Math.round(row * rowHeight); y < Math.round((row + 1) * rowHeight); y++) {
      luma.fill(bit ? 235 : 16, y * width + fromX, y * width + toX);
    }
  }
};
