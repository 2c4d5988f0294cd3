import t from 'tap';
import { fitted } from './live-shape.ts';

const square = { sar: null };

t.test('a picture of the shape of its rung fills it, whatever its size', async (t) => {
  t.same(fitted({ width: 1920, height: 1080, ...square }, { width: 640, height: 360 }), { width: 640, height: 360, x: 0, y: 0 });
  t.same(fitted({ width: 854, height: 480, ...square }, { width: 426, height: 240 }), { width: 426, height: 240, x: 0, y: 0 }, 'as far as pixels go');
  t.same(fitted({ width: 1080, height: 1920, ...square }, { width: 240, height: 426 }), { width: 240, height: 426, x: 0, y: 0 });
  t.same(fitted({ width: 320, height: 180, ...square }, { width: 640, height: 360 }), { width: 640, height: 360, x: 0, y: 0 }, 'larger than it came');
});

t.test('one of another shape gets bars, and is whole', async (t) => {
  t.same(fitted({ width: 640, height: 480, ...square }, { width: 426, height: 240 }), { width: 320, height: 240, x: 52, y: 0 });
  t.same(fitted({ width: 1080, height: 1920, ...square }, { width: 426, height: 240 }), { width: 136, height: 240, x: 144, y: 0 });
  t.same(fitted({ width: 2560, height: 1080, ...square }, { width: 640, height: 360 }), { width: 640, height: 270, x: 0, y: 44 });
});

t.test('pixels that are not square become square', async (t) => {
  t.same(fitted({ width: 720, height: 576, sar: { width: 64, height: 45 } }, { width: 640, height: 360 }), { width: 640, height: 360, x: 0, y: 0 });
  t.same(fitted({ width: 720, height: 576, sar: { width: 16, height: 15 } }, { width: 640, height: 360 }), { width: 480, height: 360, x: 80, y: 0 });
});

t.test('whatever comes, it lies within the rung, at even places', async (t) => {
  for (const width of [2, 16, 333, 640, 4096]) {
    for (const height of [2, 17, 480, 2160]) {
      for (const rung of [{ width: 426, height: 240 }, { width: 4, height: 64 }, { width: 1080, height: 1920 }]) {
        const fit = fitted({ width, height, sar: { width: 1, height: 255 } }, rung);
        const isInside = fit.width >= 2 && fit.height >= 2 && fit.x + fit.width <= rung.width && fit.y + fit.height <= rung.height;
        if (!isInside || [fit.width, fit.height, fit.x, fit.y].some((one) => one % 2 !== 0)) t.fail(`${width}x${height} in ${rung.width}x${rung.height}: ${JSON.stringify(fit)}`);
      }
    }
  }
});
