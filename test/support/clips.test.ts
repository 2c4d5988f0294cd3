import t from 'tap';
import { clip } from './clips.ts';
import { decodeStamps, mustFfmpeg, probe } from './ffmpeg.ts';
import path from 'node:path';

const flvOf = async (file: string, to: string, loops: number) =>
  mustFfmpeg(['-stream_loop', String(loops), '-i', file, '-c', 'copy', '-f', 'flv', to]);

for (const [name, options] of [
  ['a plain clip', {}],
  ['a clip with B-frames', { bframes: 2 }],
  ['a small clip of few bits', { width: 426, height: 240, kbps: 400, fps: 25, gop: 50 }],
] as const) {
  t.test(`${name} shows every frame once, in order`, async (t) => {
    const made = await clip(options);
    const { stamps, errors } = await decodeStamps(made.file, made);
    t.same(stamps, Array.from({ length: made.frames }, (_, frame) => frame));
    t.equal(errors, '');
  });

  t.test(`${name} can be read when it was scaled to 240 lines`, async (t) => {
    const made = await clip(options);
    const { stamps } = await decodeStamps(made.file, { width: 426, height: 240 });
    t.same(stamps, Array.from({ length: made.frames }, (_, frame) => frame));
  });

  t.test(`${name} loops without a seam`, async (t) => {
    const made = await clip(options);
    const flv = path.join(t.testdir({}), 'loop.flv');
    await flvOf(made.file, flv, 2);
    const { packets = [] } = await probe(flv, '-show_packets');
    for (const [kind, perSecond, count] of [
      ['video', made.fps, made.frames],
      ['audio', 48_000 / 1024, made.audioFrames],
    ] as const) {
      const dts = packets.filter((packet) => packet.codec_type === kind).map((packet) => packet.dts);
      t.equal(dts.length, 3 * count, `${kind}: nothing lost, nothing added`);
      const step = 1000 / perSecond;
      const first = dts[0] ?? 0;
      const worst = Math.max(...dts.map((at, index) => Math.abs(at - first - index * step)));
      t.ok(worst <= 2, `${kind}: no step is off by more than FLV rounds (${worst.toFixed(1)} ms)`);
    }
    const { stamps, errors } = await decodeStamps(flv, made);
    t.same(stamps, Array.from({ length: 3 * made.frames }, (_, frame) => frame % made.frames));
    t.equal(errors, '');
  });
}
