/** Raw 4:2:0 pictures for clips and live pushes: a stamp, something that moves, and a flash on every full second. */
import { drawStamp, stampHeight } from './stamp.ts';

export type Painter = {
  /** The bytes of one frame (I420). The buffer is the painter's: it is overwritten by the next call. */
  paint(frame: { stamp: number; millisecond: number }): Buffer;
  readonly frameBytes: number;
};

/** How long the flash stands at the beginning of each second; a click is as old as its first picture. */
export const flashMs = 100;

export const painter = (width: number, height: number, { busy = false } = {}): Painter => {
  if (width % 2 !== 0 || height % 2 !== 0) throw new RangeError(`4:2:0 needs even sizes, not ${width}x${height}`);
  const frame = Buffer.alloc((width * height * 3) / 2, 128);
  const luma = frame.subarray(0, width * height);
  const top = stampHeight(height) + 1;
  const background = Uint8Array.from({ length: width }, (_, x) => 60 + Math.floor((x * 100) / width));
  const noise = busy ? noiseOf(2 * width * height) : undefined;
  const bar = Math.max(8, Math.floor(width / 20));
  const flashTop = Math.floor(height * 0.7);
  return {
    frameBytes: frame.length,
    paint({ stamp, millisecond }) {
      const inSecond = ((millisecond % 1000) + 1000) % 1000;
      const barLeft = Math.floor(((millisecond % 4000) / 4000) * (width - bar));
      const noiseAt = (stamp * 7919) % (width * height);
      for (let y = top; y < height; y++) {
        luma.set(noise?.subarray(noiseAt + y * width, noiseAt + (y + 1) * width) ?? background, y * width);
        luma.fill(200, y * width + barLeft, y * width + barLeft + bar);
      }
      luma.fill(inSecond < flashMs ? 235 : 16, flashTop * width);
      drawStamp(luma, width, height, stamp);
      return frame;
    },
  };
};

/** Grey noise from a fixed seed (xorshift32): what an encoder can only spend bits on. */
const noiseOf = (length: number): Uint8Array => {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return 60 + (state & 0x7f);
  });
};
