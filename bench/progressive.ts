/**
 * What it costs to describe a progressive file of two hours, and to find ranges of it.
 *
 *     node bench/progressive.ts
 */
import { fragment, type Sample } from '../packager/cmaf/fragment.ts';
import { initSegment } from '../packager/cmaf/init.ts';
import { encodeAvcConfig } from '../packager/media/h264.ts';
import { ProgressiveBuilder } from '../packager/progressive/file.ts';
import type { PlannedTrack, ProgressivePlan } from '../packager/progressive/plan.ts';

const parts = 2 * 3600 * 3;
const avcC = encodeAvcConfig([Buffer.from('6764000aacd942846840000003004000000c83c4896580', 'hex')], [Buffer.from('68ebe3cb22c0', 'hex')]);
const init = initSegment({ kind: 'video', codec: 'h264', config: avcC, timescale: 90_000, width: 160, height: 90 });
const at = init.indexOf('avc1', init.indexOf('stsd')) - 4;
const entry = init.subarray(at, at + init.readUInt32BE(at));
const track = (id: string, kind: 'video' | 'audio', timescale: number): PlannedTrack => ({ id, kind, timescale, language: 'und', entries: [entry], width: 0, height: 0, matrix: Buffer.alloc(36) });

// Heads as they come out of a log: the media behind them is never touched.
const heads: Buffer[] = [];
const plan: ProgressivePlan = { tracks: [track('v0', 'video', 90_000), track('a0', 'audio', 48_000)], fragments: [] };
const fragments: { track: number; seq: number; size: number; entry: number }[] = [];
for (let part = 0; part < parts; part += 1) {
  const kinds = [{ kind: 'video', count: 10, ticks: 3000, bytes: 20_000 }, { kind: 'audio', count: 15, ticks: 1024, bytes: 340 }] as const;
  kinds.forEach(({ kind, count, ticks, bytes }, index) => {
    const samples = Array.from({ length: count }, (_, n): Sample => {
      const data = Buffer.alloc(bytes - ((part * 7 + n * 13) % 200));
      return { duration: ticks, size: data.length, key: kind === 'audio' || (part % 6 === 0 && n === 0), compositionOffset: kind === 'audio' ? 0 : [3000, 0, -3000][n % 3] ?? 0, data };
    });
    const [head = Buffer.alloc(0), ...media] = fragment({ sequence: part + 1, baseDecodeTime: part * count * ticks, kind, samples });
    heads.push(head);
    fragments.push({ track: index, seq: part, entry: 0, size: media.reduce((sum, { length }) => sum + length, head.length) });
  });
}

for (let round = 0; round < 5; round += 1) {
  const from = performance.now();
  const builder = new ProgressiveBuilder({ ...plan, fragments });
  for (const head of heads) builder.add(head);
  const file = builder.finish();
  const built = performance.now();
  let pieces = 0;
  for (let n = 0; n < 10_000; n += 1) {
    const begin = Math.floor((n * file.length) / 10_000);
    pieces += [...file.pieces(begin, begin + 65_536)].length;
  }
  const found = performance.now();
  const [head] = [...file.pieces(0, file.length)];
  const moov = head?.kind === 'bytes' ? head.bytes.length : 0;
  console.log(
    `two hours, ${fragments.length} fragments, ${(file.length / 1e9).toFixed(2)} GB: described in ${(built - from).toFixed(0)} ms, ` +
      `head ${(moov / 1e6).toFixed(2)} MB, kept ${(file.cost / 1e6).toFixed(2)} MB; a range of 64 KB is ${((found - built) / 10).toFixed(2)} µs and ${pieces / 10_000} pieces`,
  );
}
