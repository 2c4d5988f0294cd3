/** An upload that was promised as protected is protected from its first segment on: while it arrives, when it is whole, and opened anew. */
import { createDecipheriv } from 'node:crypto';
import t, { type Test } from 'tap';
import { readFragments } from '../packager/cmaf/reader.ts';
import { openCbcs } from '../packager/protect/cbcs-reader.ts';
import type { MediaKey } from '../packager/protect/keys.ts';
import { fakeKeys } from '../server/delivery/fake-presentation.ts';
import { clip } from './support/clips.ts';
import { until } from './support/playlists.ts';
import { UploadStage, type StagedUpload } from './support/upload-stage.ts';

const { file } = await clip({ bframes: 2 });
const stage = await UploadStage.open(t);
const clear = await stage.upload(file);
await clear.finish();

const named = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const bytes = async (video: string, below: string): Promise<Buffer> => Buffer.from(await (await fetch(stage.url(video, below))).arrayBuffer());
const samples = (media: Buffer): Buffer[] => readFragments(media).flatMap((one) => one.samples.map(({ offset, size }) => media.subarray(offset, offset + size)));
const opened = {
  'aes-128': (media: Buffer, { key, iv }: MediaKey): Buffer[] => {
    const decipher = createDecipheriv('aes-128-cbc', key, iv);
    return samples(Buffer.concat([decipher.update(media), decipher.final()]));
  },
  cbcs: (media: Buffer, { key, iv }: MediaKey): Buffer[] => openCbcs(media, key, iv),
};

/** Every segment that is listed, with the key that the list names for it; how many there are. */
const checked = async (t: Test, { id }: StagedUpload, scheme: 'aes-128' | 'cbcs'): Promise<number> => {
  const ring = await fakeKeys.ringOf(id);
  let count = 0;
  for (const track of ['v0', 'a0']) {
    const [{ text }, plain] = await Promise.all([stage.text(id, `${track}/whole.m3u8`), stage.text(clear.id, `${track}/whole.m3u8`)]);
    let key: MediaKey | null = null;
    const there = named(plain.text);
    for (const line of text.split('\n')) {
      const kid = /^#EXT-X-KEY:.*keys\/([0-9a-f]{32})/.exec(line)?.[1];
      if (kid !== undefined) key = ring.withId(Buffer.from(kid, 'hex'));
      if (line === '' || line.startsWith('#')) continue;
      count += 1;
      const same = there.find((name) => name.split('-')[1] === line.split('-')[1]);
      if (!key || same === undefined) throw new Error(`${line} has no key, or no twin`);
      const [one, other] = [await bytes(id, `${track}/${line}`), await bytes(clear.id, `${track}/${same}`)];
      t.notOk(one.includes(samples(other)[0] ?? ''), `${scheme} ${track} ${line} is not clear`);
      t.same(opened[scheme](one, key), samples(other), `${scheme} ${track} ${line}`);
    }
  }
  return count;
};

for (const scheme of ['aes-128', 'cbcs'] as const) {
  t.test(scheme, async (t) => {
    const upload = await stage.upload(file, scheme);
    // The index lies at its end.
    await upload.land(upload.bytes.indexOf('moov') - 4, upload.bytes.length);
    await upload.land(0, Math.ceil(upload.bytes.length * 0.6));
    await until(() => stage.text(upload.id, 'master.m3u8'), ({ status }) => status === 200);
    const some = await checked(t, upload, scheme);
    t.ok(some > 0, 'while it arrives');
    t.equal(await upload.finish(), 'taken');
    const all = await checked(t, upload, scheme);
    t.ok(all > some, `${some}, and then ${all}`);
    stage.live.presentations.forget(upload.id);
    t.equal(await checked(t, upload, scheme), all, 'opened anew');
    t.same(stage.errors, []);
  });
}
