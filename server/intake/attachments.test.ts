/**
 * Files inside of Matroska, under names that lead elsewhere: nothing is written where they point to, and nothing is taken
 * out of the film at all.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import t from 'tap';
import { encoded } from '../../test/support/encoded.ts';
import { noPrograms } from '../../test/support/left-behind.ts';
import { systemClock } from '../../packager/clock.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { Sandbox, type SandboxRun } from '../../packager/encode/sandbox.ts';
import { testFolder } from '../catalog/testing.ts';
import { matroska } from './crafted-matroska.ts';
import { picture, vp9 } from './exactness.ts';
import { leftOvers, testIntake } from './testing.ts';

/** The frames of a film (IVF: a head of 32 bytes, then each with one of 12). */
const frames = async (): Promise<Buffer[]> => {
  const file = await readFile(await encoded('ivf', [...picture(1), ...vp9]));
  const found: Buffer[] = [];
  for (let at = 32; at + 12 <= file.length; ) {
    const end = at + 12 + file.readUInt32LE(at);
    found.push(file.subarray(at + 12, end));
    at = end;
  }
  return found;
};

const word = `attached-${process.pid}`;
const absolute = `/tmp/millrace-${word}`;
const names = [
  ...[`../../${word}`, `../../../videos/${word}`, `..\\..\\${word}`, `%2e%2e%2f${word}`, `${'../'.repeat(40)}tmp/millrace-${word}`, absolute, `C:\\${word}`],
  ...[`${word}\0.ttf`, `../${word}\0/../../x`, `\0`, '', '.', '..', 'input', 'made.mp4', '-i', `|touch ${absolute}`, `$(touch ${absolute})`, `${word}\n\r${word}`],
  ...[`${word}${'x'.repeat(70_000)}`, `${'../'.repeat(20_000)}${word}`, `\u202e${word}`, `concat:${absolute}`, `file:${absolute}`],
];
const marker = Buffer.from(`nobody takes this out: ${word} `.repeat(50));
const attached = names.map((name, index) => ({ name, data: marker, mediaType: ['application/octet-stream', 'application/x-truetype-font', 'image/png', 'text/html'][index % 4] ?? '' }));

/** A sandbox that notes what lies in the folder of a job when a program has ended. */
class Watched {
  readonly seen = new Set<string>();
  readonly #inside: Sandbox;
  constructor(inside: Sandbox) {
    this.#inside = inside;
  }
  async run(wanted: SandboxRun): ReturnType<Sandbox['run']> {
    const ran = await this.#inside.run(wanted);
    for (const name of await readdir(wanted.place.folder, { recursive: true })) this.seen.add(name);
    return ran;
  }
}

t.test('attachments with names that lead elsewhere stay where they are', async (t) => {
  const folder = await testFolder(t);
  const inside = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
  if (!inside) throw new Error('ffmpeg does not run here');
  const watched = new Watched(inside);
  // It is used through its method and its facts.
  const sandbox = new Proxy(inside, { get: (target, name) => (name === 'run' ? watched.run.bind(watched) : Reflect.get(target, name, target)) });
  const shop = await testIntake(t, { sandbox: Promise.resolve(sandbox) });
  const { video, tracks } = await shop.taken(matroska([{ codec: 'V_VP9' }], await frames(), 1, attached));
  t.match(video, { state: 'ready', errorCode: null });
  t.ok(tracks.length > 0 && tracks.every(({ kind }) => kind === 'video'), 'attachments are no tracks');
  t.same(await leftOvers(shop), []);
  t.ok(await noPrograms(shop.jobs));

  t.same([...watched.seen].sort(), ['root', 'work', 'work/input', 'work/made.mp4'], 'programs wrote the film, and nothing else');
  t.notOk(existsSync(absolute));
  for (const near of [shop.data, resolve(shop.data, '..'), resolve(shop.data, '../..'), process.cwd()]) {
    t.same((await readdir(near)).filter((name) => name.includes(word)), [], near);
  }
  const lying = (await readdir(shop.data, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  t.same(lying.filter(({ name }) => name.includes(word)), []);
  for (const { parentPath, name } of lying) {
    if (name !== 'original' && (await readFile(join(parentPath, name))).includes(word)) t.fail(`${name} holds what was attached`);
  }
});
