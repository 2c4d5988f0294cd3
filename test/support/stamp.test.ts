import t from 'tap';
import { drawStamp, readStamp, readStampSource, stampLimit } from './stamp.ts';

const numbers = [0, 1, 2, 0x5555555, 0xaaaaaaa, 12_345_678, stampLimit - 1];

t.test('what is drawn is read, at sizes that cells divide and at sizes that they do not', async (t) => {
  for (const [width, height] of [[640, 360], [426, 240], [854, 480], [1280, 720], [320, 180]] as const) {
    const luma = new Uint8Array(width * height).fill(100);
    for (const number of numbers) {
      drawStamp(luma, width, height, number);
      t.equal(readStamp({ pixels: luma, width, height }), number, `${number} at ${width}x${height}`);
    }
  }
});

t.test('a picture without a stamp is no number', async (t) => {
  for (const light of [0, 16, 100, 128, 235, 255]) {
    t.equal(readStamp({ pixels: new Uint8Array(640 * 360).fill(light), width: 640, height: 360 }), null, `all ${light}`);
  }
});

t.test('one wrong cell is no number', async (t) => {
  const [width, height] = [640, 360];
  const luma = new Uint8Array(width * height);
  for (let cell = 0; cell < 32; cell++) {
    drawStamp(luma, width, height, 12_345_678);
    const [left, top] = [(cell & 15) * 40, (cell >> 4) * 30];
    const other = (luma[top * width + left] ?? 0) > 128 ? 16 : 235;
    for (let y = top; y < top + 30; y++) luma.fill(other, y * width + left, y * width + left + 40);
    t.equal(readStamp({ pixels: luma, width, height }), null, `cell ${cell}`);
  }
});

t.test('its source alone reads RGBA', async (t) => {
  const [width, height] = [640, 360];
  const luma = new Uint8Array(width * height);
  drawStamp(luma, width, height, 987_654);
  const pixels = new Uint8ClampedArray(width * height * 4);
  luma.forEach((light, at) => pixels.fill(light, at * 4, at * 4 + 4));
  const read = new Function(`${readStampSource} return readStamp;`)() as typeof readStamp;
  t.equal(read({ pixels, width, height, step: 4 }), 987_654);
});
