import t, { type Test } from 'tap';
import { coresOf } from './ladder-cost.ts';

const cost = { decode: 0.002, scale: 0.001, encode: { veryfast: 0.01, fast: 0.03 } };
const source = { width: 1000, height: 1000, frameRate: 30 };
const rung = { width: 500, height: 860, frameRate: 30, preset: 'veryfast' };

const about = (t: Test, found: number, wanted: number, words: string): void => void t.ok(Math.abs(found - wanted) < 1e-9, `${words}: ${found}, ${wanted}`);

t.test('one decode, and for each rung a scaling, its pixels and its pictures', async (t) => {
  about(t, coresOf([], source, cost), 0, 'nothing is nothing');
  about(t, coresOf([rung], source, cost), 0.06 + 0.03 + 0.15, 'one');
  about(t, coresOf([rung, rung], source, cost), 0.06 + 2 * (0.03 + 0.15), 'the source is read once');
});

t.test('what a rung leaves out costs it nothing, and the source all the same', async (t) => {
  about(t, coresOf([rung], { ...source, frameRate: 60 }, cost), 0.1 + 0.03 + 0.15, 'half of the pictures, and those that come sooner are read sooner');
});

t.test('presets have their own cost, measured or as they usually are; other codecs are dearer to read', async (t) => {
  about(t, coresOf([{ ...rung, preset: 'fast' }], source, cost), 0.06 + 0.03 + 0.45, 'measured');
  about(t, coresOf([{ ...rung, preset: 'ultrafast' }], source, cost), 0.06 + 0.03 + 0.15 * 0.35, 'as it usually is');
  about(t, coresOf([rung], { ...source, codec: 'hevc' }, cost), 0.09 + 0.03 + 0.15, 'HEVC');
});
