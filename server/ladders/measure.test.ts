import t from 'tap';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keepCost, keptCost, measureCost } from './measure.ts';
import { pretendFfmpeg } from './pretend-ffmpeg.ts';

const pretend = (data: string, secondsOf: (args: readonly string[]) => number, version = '5.1') => {
  const { sandbox, runs } = pretendFfmpeg(secondsOf, version);
  return { runs, options: { sandbox, data, cores: 2, presets: ['veryfast', 'fast'] } };
};

t.test('reading, scaling and encoding are told apart', async (t) => {
  const data = t.testdir();
  await mkdir(join(data, 'jobs'));
  const { options, runs } = pretend(data, (args) => (args.includes('sample.mp4') ? 9 : args.includes('fast') ? 3 : args.includes('veryfast') ? 1 : args.includes('-vf') ? 0.9 : 0.6));
  const { decode, scale, encode } = await measureCost(options);
  // 300 pictures of 0.92 million pixels were read, and 120 of 0.41 were encoded.
  t.match([decode, scale], [0.002_17, 0.001_085]);
  const [veryfast = 0, fast = 0] = [encode['veryfast'], encode['fast']];
  t.ok(veryfast > 0.009 && veryfast < 0.012, `veryfast ${veryfast}`);
  t.ok(fast > 0.04 && fast < 0.05, `fast ${fast}`);
  t.equal(runs.length, 5);
  t.same(await readdir(join(data, 'jobs')), [], 'nothing is left behind');
});

t.test('what was measured holds for this machine, this ffmpeg and these presets', async (t) => {
  const data = t.testdir();
  const { options } = pretend(data, () => 1);
  t.equal(await keptCost(options), null, 'nothing is there at first');
  const cost = { decode: 0.002, scale: 0.001, encode: { veryfast: 0.01, fast: 0.03 } };
  await keepCost(options, cost);
  t.same(await keptCost(options), cost);
  t.equal(await keptCost({ ...options, cores: 4 }), null, 'other cores');
  t.equal(await keptCost(pretend(data, () => 1, '7.1').options), null, 'another ffmpeg');
  t.equal(await keptCost({ ...options, presets: ['veryfast', 'slow'] }), null, 'a preset that nobody named until now');
  for (const text of ['', '{"machine":1}', JSON.stringify({ machine: 'x', cost: { decode: -1 } })]) {
    await writeFile(join(data, 'machine.json'), text);
    t.equal(await keptCost(options), null, `not ${text}`);
  }
});

t.test('an ffmpeg that fails is quoted', async (t) => {
  const data = t.testdir();
  await mkdir(join(data, 'jobs'));
  await t.rejects(measureCost(pretend(data, (args) => (args.includes('-vf') ? 0 : 1)).options), { name: 'NotMeasured', message: /ffmpeg ended with 1: .*bench/ });
  t.same(await readdir(join(data, 'jobs')), []);
});

t.test('a preset that cannot be measured is left out, and is not tried at every start', async (t) => {
  const data = t.testdir();
  await mkdir(join(data, 'jobs'));
  const { options } = pretend(data, (args) => (args.includes('fast') ? 0 : 1));
  const cost = await measureCost(options);
  t.same(Object.keys(cost.encode), ['veryfast']);
  await keepCost(options, cost);
  t.same(await keptCost(options), cost);
  await t.rejects(measureCost({ ...options, signal: AbortSignal.abort() }), { name: 'NotMeasured' }, 'but the end of the server is no slow preset');
  await t.rejects(measureCost(pretend(data, (args) => (args.includes('veryfast') && !args.includes('sample.mp4') ? 0 : 1)).options), { name: 'NotMeasured' }, 'nor can others be guessed without the one that they are guessed by');
});
