/** Files of ffmpeg cut into fragments, and the fragments judged by ffmpeg: the same pictures, the same sound, at the same times. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { decodeErrors, encoded, probe, scratch } from '../../test/support/encoded.ts';
import { nodeDisk } from '../log/node-disk.ts';
import { diskSource } from './disk-source.ts';
import { parseMovie } from './parse.ts';
import { planMovie } from './virtual.ts';
import { virtualEpoch } from './virtual-facts.ts';
import { VirtualTrackLog } from './virtual-log.ts';

const execute = promisify(execFile);
mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=7'];
const pictures = (rate: string): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${rate}:duration=7`];
const x264 = (gop: number, more: readonly string[] = []): string[] => ['-c:v', 'libx264', '-preset', 'veryfast', '-g', String(gop), '-x264-params', 'open-gop=0:scenecut=0', ...more];

/** Every track as a file of its own: init segment and all fragments. */
const cut = async (path: string): Promise<{ readonly files: string[]; readonly logs: VirtualTrackLog[] }> => {
  const file = await nodeDisk.open(path, 'read');
  const source = diskSource(file, await file.size());
  const { tracks } = planMovie(await parseMovie(source));
  const logs = tracks.map((plan) => new VirtualTrackLog(plan, source, virtualEpoch(plan, { run: 'run1234567', wallClock: 0 })));
  const files: string[] = [];
  for (const [index, log] of logs.entries()) {
    const { end, epochs } = log.snapshot();
    const name = join(scratch, `${index}-${path.slice(path.lastIndexOf('/') + 1)}.mp4`);
    writeFileSync(name, Buffer.concat([epochs[0]?.init ?? Buffer.alloc(0), ...(await log.read(0, end))]));
    files.push(name);
  }
  await file.close();
  return { files, logs };
};

type Frame = { readonly seconds: number; readonly md5: string };

const decoded = ['-fps_mode', 'passthrough', '-enc_time_base', '-1'];

/** What a decoder makes of one stream, or what it is given: the time and the bytes of each frame. */
const framesOf = async (path: string, stream: string, more: readonly string[] = decoded): Promise<Frame[]> => {
  const args = ['-v', 'error', '-copyts', '-i', path, '-map', stream, ...more, '-f', 'framemd5', '-'];
  const { stdout } = await execute(process.env['FFMPEG_PATH'] ?? 'ffmpeg', args, { maxBuffer: 64 << 20 });
  const [, top = '1', bottom = '1'] = /#tb 0: (\d+)\/(\d+)/.exec(stdout) ?? [];
  return stdout.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, , pts = '', , , md5 = ''] = line.split(/,\s*/);
    return [{ seconds: (Number(pts) * Number(top)) / Number(bottom), md5 }];
  });
};

const kinds = [
  { name: 'B-frames at 29.97, an edit list and priming', args: [...pictures('30000/1001'), ...sound, ...x264(45, ['-bf', '3']), '-c:a', 'aac'] },
  { name: 'no B-frames, moov ahead', args: [...pictures('25'), ...sound, ...x264(60, ['-bf', '0']), '-c:a', 'aac', '-movflags', '+faststart'] },
  { name: 'fragments', args: [...pictures('25'), ...sound, ...x264(50, ['-bf', '2']), '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'] },
  { name: 'sound half a second later', args: [...pictures('25'), '-itsoffset', '0.5', ...sound, ...x264(50), '-c:a', 'aac'] },
];

for (const { name, args } of kinds) {
  t.test(name, async (t) => {
    const path = await encoded('mp4', args);
    const { files, logs } = await cut(path);
    const [picture = '', heard = ''] = files;
    // ffmpeg reads negative composition offsets of fragments as if all were larger by the largest of them.
    const plan = logs[0]?.plan;
    const behind = (plan?.reorderDelay ?? NaN) / (plan?.track.timescale ?? NaN);
    for (const file of files) t.equal(await decodeErrors(['-i', file]), '', 'decodes without complaint');
    const before = await framesOf(path, '0:v');
    const after = await framesOf(picture, '0:v');
    t.same(after.map(({ md5 }) => md5), before.map(({ md5 }) => md5), 'the same pictures');
    t.ok(after.every(({ seconds }, n) => Math.abs(seconds - behind - (before[n]?.seconds ?? NaN)) < 0.0001), 'at the same times');
    const soundBefore = (await framesOf(path, '0:a', ['-c', 'copy'])).filter(({ seconds }) => seconds >= 0);
    const soundAfter = await framesOf(heard, '0:a', ['-c', 'copy']);
    t.same(soundAfter.map(({ md5 }) => md5), soundBefore.map(({ md5 }) => md5), 'the same sound');
    t.ok(soundAfter.every(({ seconds }, n) => Math.abs(seconds - (soundBefore[n]?.seconds ?? NaN)) < 0.0001), 'at the same times');
  });
}

t.test('what a phone turned is turned still', async (t) => {
  const plain = await encoded('mp4', [...pictures('25'), ...x264(50)]);
  const path = await encoded('mp4', ['-i', plain, '-c', 'copy', '-metadata:s:v', 'rotate=90']);
  const { files, logs } = await cut(path);
  const turned = async (file: string): Promise<unknown> => {
    const { streams } = (await probe(file, '-show_entries', 'stream_side_data')) as { streams: { side_data_list?: { rotation?: number }[] }[] };
    return streams[0]?.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation;
  };
  const wanted = await turned(path);
  t.ok(wanted === 90 || wanted === -90, `turned by ${String(wanted)}`);
  t.equal(await turned(files[0] ?? ''), wanted);
  // ffprobe counts the other way round.
  t.equal(logs[0]?.plan.track.kind === 'video' && logs[0].plan.track.rotation, wanted === 90 ? 270 : 90);
});

t.test('pictures in HEVC', async (t) => {
  const path = await encoded('mp4', [...pictures('25'), '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=50:min-keyint=50:scenecut=0:open-gop=0']);
  const { files, logs } = await cut(path);
  t.match(logs[0]?.snapshot().epochs[0]?.codecString, /^hvc1\.1\.6\.L/);
  t.equal(await decodeErrors(['-i', files[0] ?? '']), '');
  const wanted = await framesOf(path, '0:v');
  t.same((await framesOf(files[0] ?? '', '0:v')).map(({ md5 }) => md5), wanted.map(({ md5 }) => md5));
});
