/** Originals on their way: what can be seen of them when, whatever the order in which they come. */
import { readFile, writeFile } from 'node:fs/promises';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { Disk } from '../../packager/log/types.ts';
import { parseMovie } from '../../packager/mp4/parse.ts';
import { sourceOf } from '../../packager/mp4/pretend-movie.ts';
import { encoded, scratch } from '../../test/support/encoded.ts';
import { mustFfmpeg } from '../../test/support/ffmpeg.ts';
import { until } from '../../test/support/playlists.ts';
import { UploadStage, type StagedUpload } from '../../test/support/upload-stage.ts';
import { Arrivals } from './arrivals.ts';
import { nothingBehind, silent } from './testing.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const media = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=24', '-f', 'lavfi', '-i', 'sine=440:duration=24:sample_rate=48000'];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '50', '-bf', '2', '-x264-params', 'open-gop=0:scenecut=0'];
const moovFirst = await encoded('mp4', [...media, ...x264, '-c:a', 'aac', '-movflags', '+faststart']);
const moovLast = await encoded('mp4', [...media, ...x264, '-c:a', 'aac']);
const fragments = await encoded('mp4', [...media, ...x264, '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof']);
const otherSound = await encoded('mp4', [...media, ...x264, '-c:a', 'ac3', '-movflags', '+faststart']);

/** Where the top-level boxes of a file lie. */
const boxesOf = (bytes: Buffer): { readonly type: string; readonly from: number; readonly to: number }[] => {
  const found = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const to = at + bytes.readUInt32BE(at);
    found.push({ type: bytes.toString('latin1', at + 4, at + 8), from: at, to });
    at = to;
  }
  return found;
};
const boxOf = (bytes: Buffer, wanted: string): { readonly from: number; readonly to: number } => {
  const found = boxesOf(bytes).find(({ type }) => type === wanted);
  if (!found) throw new Error(`no ${wanted}`);
  return found;
};

const listOf = async (stage: UploadStage, { id }: StagedUpload, track = 'v0'): Promise<{ status: number; text: string; segments: number }> => {
  const answer = await stage.text(id, `${track}/index.m3u8`);
  return { ...answer, segments: [...answer.text.matchAll(/EXTINF/g)].length };
};
const playableSoon = (upload: StagedUpload) => until(() => upload.state(), (state) => state === 'playable');

t.test('the index first: it plays from the first segment on, and its list grows until it is whole', async (t) => {
  const stage = await UploadStage.open(t);
  const upload = await stage.upload(moovFirst);
  const size = upload.bytes.length;
  await upload.land(0, boxOf(upload.bytes, 'moov').to);
  t.equal((await stage.text(upload.id, 'master.m3u8')).status, 404);
  t.equal(await upload.state(), 'uploading', 'nothing of it can be seen yet');
  await upload.land(0, Math.round(size / 4));
  await playableSoon(upload);
  const first = await until(() => listOf(stage, upload), ({ status }) => status === 200);
  t.match(first.text, /EVENT\n#EXT-X-START:TIME-OFFSET=0\n/);
  t.ok(first.segments >= 1 && first.segments <= 3, `${first.segments} segments of a quarter`);
  t.equal((await listOf(stage, upload, 'a0')).segments, first.segments, 'as far in sound as in pictures');
  const master = (await stage.text(upload.id, 'master.m3u8')).text;
  t.match(master, /^v0\/index\.m3u8$/m);
  t.match(master, /^#EXT-X-START:TIME-OFFSET=0$/m);
  const { policy, durationMs, tracks } = (await stage.catalog.videos.withTracks(upload.id).then((found) => ({ ...found?.video, tracks: found?.tracks })));
  t.match({ policy, durationMs }, { policy: { targetDuration: 3, growing: true }, durationMs: 24_000 });
  t.ok((tracks?.[0]?.bandwidth ?? 0) > 1000, 'rates are those of the whole file');

  t.match(await stage.text(upload.id, 'manifest.mpd'), { status: 404, text: /"still-uploading"/ });
  const run = /([a-z0-9]+)-1\.m4s/.exec(first.text)?.[1];
  t.match(await stage.text(upload.id, `mp4/${run}-v0-a0.mp4`), { status: 409, text: /"still-uploading"/ });
  t.equal((await stage.text(upload.id, `v0/${run}-12.m4s`)).status, 404, 'what has not landed is not there');
  t.equal((await stage.text(upload.id, 'v0/index.m3u8?_HLS_msn=12')).status, 200, 'and nobody waits for it');

  let before = first;
  for (let part = 2; part <= 3; part += 1) {
    await upload.land(0, Math.round((size * part) / 4));
    const now = await until(() => listOf(stage, upload), ({ segments }) => segments > before.segments);
    t.ok(now.text.startsWith(before.text));
    before = now;
  }
  t.equal(await upload.finish(), 'taken');
  const whole = await listOf(stage, upload);
  t.ok(whole.text.startsWith(before.text));
  t.equal(whole.segments, 12);
  t.match(whole.text, /EVENT[^]*ENDLIST\n$/);
  t.equal(await upload.state(), 'ready');
  t.match((await stage.catalog.videos.get(upload.id)), { durationMs: 24_000, bytes: size });
  t.match((await stage.text(upload.id, 'master.m3u8')).text, /^v0\/whole\.m3u8$/m);
  t.equal((await stage.text(upload.id, 'manifest.mpd')).status, 200);
  const { stderr } = await mustFfmpeg(['-i', stage.url(upload.id), '-f', 'null', '-']);
  t.equal(stderr, '');
  t.equal(await stage.arrivals.whole(upload.id), 'taken', 'said again, it is what it was');
  t.same(stage.errors, []);
});

t.test('the index last, sent ahead of the rest; pieces in any order; a file of fragments', async (t) => {
  const stage = await UploadStage.open(t);
  const upload = await stage.upload(moovLast);
  const moov = boxOf(upload.bytes, 'moov');
  await upload.land(0, 4096);
  await upload.land(moov.from, moov.to);
  const piece = Math.ceil(upload.bytes.length / 16);
  // The second half first: its beginning is missing.
  for (let at = 8; at < 16; at += 1) await upload.land(at * piece, (at + 1) * piece);
  t.equal((await listOf(stage, upload)).status, 404);
  for (let at = 7; at >= 0; at -= 1) await upload.land(at * piece, (at + 1) * piece);
  await playableSoon(upload);
  t.equal((await until(() => listOf(stage, upload), ({ segments }) => segments > 0)).segments, 12, 'with its beginning all of it can be seen');
  t.equal(await upload.finish(), 'taken');

  const torn = await stage.upload(fragments);
  await torn.land(0, Math.round(torn.bytes.length / 2));
  t.equal(await torn.finish(), 'taken');
  t.equal((await listOf(stage, torn)).segments, 12);
  t.same(stage.errors, []);
});

t.test('after a restart in the middle it goes on under the same names', async (t) => {
  const first = await UploadStage.open(t);
  const upload = await first.upload(moovFirst);
  await upload.land(0, Math.round(upload.bytes.length / 2));
  await playableSoon(upload);
  const before = await until(() => listOf(first, upload), ({ segments }) => segments > 3);
  await first.stop();
  const second = await UploadStage.open(t, first.folder);
  t.equal((await listOf(second, upload)).status, 404, 'before anybody knows what has landed nothing is shown of it');
  upload.tell(second);
  const after = await until(() => listOf(second, upload), ({ segments }) => segments >= before.segments);
  t.equal(after.text, before.text);
  t.equal(await upload.finish(second), 'taken');
  t.same([...first.errors, ...second.errors], []);
});

t.test('a kill between the last byte and its end is no reason to look at it twice', async (t) => {
  const first = await UploadStage.open(t);
  const upload = await first.upload(moovFirst);
  await upload.land(0, Math.round(upload.bytes.length / 2));
  await playableSoon(upload);
  const [name] = /[a-z0-9]+-1\.m4s/.exec((await until(() => listOf(first, upload), ({ segments }) => segments > 3)).text) ?? [];
  await first.stop();
  const second = await UploadStage.open(t, first.folder);
  t.equal(await upload.finish(second), 'taken');
  t.equal((await second.text(upload.id, `v0/${name}`)).status, 200);
});

t.test('what is not standard is left to others, untouched', async (t) => {
  const stage = await UploadStage.open(t);
  const upload = await stage.upload(otherSound);
  await upload.land(0, upload.bytes.length - 1);
  t.equal(await upload.finish(), 'not-standard');
  t.equal(await upload.state(), 'uploading');
  const text = join(scratch, 'no-film.mp4');
  await writeFile(text, 'nothing to see here. '.repeat(100));
  const words = await stage.upload(text);
  await words.land(0, 1000);
  t.equal(await words.finish(), 'not-standard');
  t.same(stage.errors, []);
});

/** The last key frame becomes a picture that others are needed for: its slices are no longer those of an IDR. */
const spoil = async (bytes: Buffer): Promise<void> => {
  const [track] = (await parseMovie(sourceOf(bytes))).tracks;
  const last = track?.samples.keys?.at(-1) ?? 0;
  const { offset } = track?.samples.rows(last, last + 1) ?? {};
  const at = offset?.[0] ?? 0;
  bytes[at + 4] = ((bytes[at + 4] ?? 0) & 0xe0) | 1;
};

t.test('what turns out at its end not to be standard is no longer shown', async (t) => {
  const bytes = await readFile(moovFirst);
  await spoil(bytes);
  const file = join(scratch, 'no-idr.mp4');
  await writeFile(file, bytes);
  const stage = await UploadStage.open(t);
  const upload = await stage.upload(file);
  await upload.land(0, Math.round(bytes.length / 2));
  await playableSoon(upload);
  t.equal(await upload.finish(), 'not-standard');
  t.equal(await upload.state(), 'processing');
  t.equal((await listOf(stage, upload)).status, 404);
  t.same(stage.errors, []);
});

t.test('what a disk has lost is judged anew, though all of it had been there', async (t) => {
  const stage = await UploadStage.open(t);
  const upload = await stage.upload(moovFirst);
  await upload.land(0, upload.bytes.length);
  await playableSoon(upload);
  upload.lose();
  await spoil(upload.bytes);
  t.equal(await upload.finish(), 'not-standard');
  t.same(stage.errors, []);
});

t.test('what is removed while it arrives is gone for everybody', async (t) => {
  const stage = await UploadStage.open(t);
  const upload = await stage.upload(moovFirst);
  await upload.land(0, Math.round(upload.bytes.length / 2));
  await playableSoon(upload);
  const { text } = await until(() => listOf(stage, upload), ({ segments }) => segments > 3);
  const [name] = /[a-z0-9]+-1\.m4s/.exec(text) ?? [];
  t.equal((await stage.text(upload.id, `v0/${name}`)).status, 200);
  await stage.catalog.videos.remove(upload.id);
  stage.arrivals.dropped(upload.id);
  await until(() => stage.text(upload.id, `v0/${name}`), ({ status }) => status === 404);
  upload.tell();
  t.equal((await listOf(stage, upload)).status, 404);
  t.same(stage.errors, []);
});

t.test('a trim of what is still arriving holds at once', async (t) => {
  const stage = await UploadStage.open(t);
  const upload = await stage.upload(moovFirst);
  await upload.land(0, Math.round(upload.bytes.length / 2));
  await playableSoon(upload);
  const { text } = await until(() => listOf(stage, upload), ({ segments }) => segments > 3);
  const [name] = /[a-z0-9]+-1\.m4s/.exec(text) ?? [];
  await stage.catalog.videos.update(upload.id, { cutInMs: 4_000 });
  await until(() => stage.text(upload.id, `v0/${name}`), ({ status }) => status === 404);
  t.equal(await upload.finish(), 'taken');
  t.equal((await stage.text(upload.id, `v0/${name}`)).status, 404);
});

t.test('what lands after a pause is looked at at once, what follows it closely is looked at together', async (t) => {
  const clock = new FakeClock();
  let [there, looks] = [0, 0];
  const disk: Disk = { ...nodeDisk, open: (path, mode) => ((looks += 1), nodeDisk.open(path, mode)) };
  const videos = { withTracks: async () => null, get: async () => null, become: async () => false };
  const presentations = { add: () => undefined, ended: () => undefined, drop: () => undefined };
  const arrivals = new Arrivals({ clock, log: silent, disk, folder: scratch, videos, presentations, behind: nothingBehind });
  t.teardown(() => arrivals.close());
  const size = (await readFile(moovLast)).length;
  const landed = (to: number): void => {
    there = to;
    arrivals.arrived('video', { path: moovLast, size, bytes: to, has: (_from, to) => to <= there });
  };
  landed(16);
  await until(async () => looks, (count) => count === 1);
  landed(size - 1);
  landed(size);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  t.equal(looks, 1, 'no time has passed');
  clock.advance(100);
  await until(async () => looks, (count) => count === 2);
});
