/** Awkward files that are cut out as they lie: every picture and every sound at its moment, and nothing for a decoder to complain of. */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { readFragments } from '../packager/cmaf/reader.ts';
import { judgeMovie } from '../packager/mp4/judge.ts';
import { parseMovie } from '../packager/mp4/parse.ts';
import { planMovie } from '../packager/mp4/virtual.ts';
import { virtualEpoch } from '../packager/mp4/virtual-facts.ts';
import { VirtualTrackLog } from '../packager/mp4/virtual-log.ts';
import { awkward } from './support/awkward.ts';
import { decodeErrors, scratch } from './support/encoded.ts';
import { furthestApart, heardFrames, shownPictures } from './support/exact.ts';

await mkdir(scratch, { recursive: true });
t.teardown(() => rm(scratch, { recursive: true, force: true }));

const fileSource = async (file: string) => {
  const handle = await open(file);
  const { size } = await handle.stat();
  return {
    size,
    close: () => handle.close(),
    read: async (offset: number, length: number) => (await handle.read(Buffer.alloc(length), 0, length, offset)).buffer,
  };
};

for (const { name, file, way, pictures, sounds } of await awkward()) {
  t.test(name, async (t) => {
    if (!file.match(/\.(mp4|mov|m4a)$/)) return;
    const source = await fileSource(file);
    t.teardown(() => source.close());
    const movie = await parseMovie(source);

    const { tracks } = await judgeMovie(movie, source);
    t.equal(tracks.every(({ use }) => use === 'standard'), way === 'original', JSON.stringify(tracks));
    if (way !== 'original') return;
    const plan = planMovie(movie);
    t.equal(plan.tracks.filter(({ track }) => track.kind === 'video').length, Number(pictures));
    t.equal(plan.tracks.filter(({ track }) => track.kind === 'audio').length, sounds);
    let heard = 0;
    for (const [index, cut] of plan.tracks.entries()) {
      const epoch = virtualEpoch(cut, { run: 'run1234567', wallClock: 0 });
      const log = new VirtualTrackLog(cut, source, epoch);
      const out = path.join(scratch, `${path.basename(file)}-${index}.mp4`);
      await writeFile(out, Buffer.concat([epoch.init, ...(await log.read(0, log.snapshot().end))]));
      t.equal(await decodeErrors(['-i', out]), '', 'a decoder has nothing to complain of');
      const isPicture = cut.track.kind === 'video';
      const wanted = isPicture ? await shownPictures(file) : await heardFrames(file, heard++);
      const got = isPicture ? await shownPictures(out) : await heardFrames(out);
      t.equal(got.length, wanted.length, `as many ${isPicture ? 'pictures' : 'frames of sound'} as in the file`);
      // ffmpeg 5.1 moves all of a fragmented track by its most negative composition offset: the first moment is asked of the fragment.
      const [first] = readFragments((await log.read(0, 1))[0] ?? Buffer.alloc(0));
      const begin = ((first?.baseDecodeTime ?? NaN) + (first?.samples[0]?.cts ?? NaN)) / cut.track.timescale;
      const moved = got.map((time) => time - (got[0] ?? 0) + begin);
      t.ok(furthestApart(moved, wanted) <= 0.001, `none more than a millisecond from its moment: ${furthestApart(moved, wanted)}`);
    }
  });
}
