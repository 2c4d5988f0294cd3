/** What a decoder makes of pictures that stood in, and of those that come back behind them. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { boxOf } from '../../test/support/coded-frames.ts';
import { encoded, probe } from '../../test/support/encoded.ts';
import { ffmpeg, mustFfmpeg } from '../../test/support/ffmpeg.ts';
import { unitsOf } from '../media/h264-nal.ts';
import { parseHevcConfig } from '../media/hevc-config.ts';
import { hevcNal, hevcTypeOf } from '../media/hevc-nal.ts';
import { aloneAgain, pictureReader } from '../media/picture.ts';
import { rtmpClock, type AccessUnit } from '../media/unit.ts';
import type { Rhythm } from './policy.ts';
import { StandIn } from './stand-in.ts';

/** Open groups of six pictures, two of which are shown before the key picture of the next; their numbers begin again after sixteen. */
const clip = [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-frames:v', '72', '-pix_fmt', 'yuv420p', '-c:v', 'libx265', '-preset', 'ultrafast'],
  ...['-x265-params', 'log-level=error:keyint=6:min-keyint=6:scenecut=0:open-gop=1:bframes=2:b-adapt=0:log2-max-poc-lsb=4', '-tag:v', 'hvc1'],
];
const frameMs = 40;
const rhythm: Rhythm = {
  ...{ segmentMicros: 2_000_000, segmentLimitMicros: 2_000_000, gopMicros: 240_000, partLimitMicros: 333_334 },
  ...{ longestFrameMicros: 40_000, frameRate: 25, audioFramesPerPart: 16 },
};

const file = await encoded('mp4', clip);
const bytes = await readFile(file);
const read = pictureReader('hevc', { kind: 'video', codec: 'hevc', config: await boxOf('hvcC', clip) });
const { packets = [] } = (await probe(file, '-select_streams', 'v', '-show_packets')) as { packets?: { pts_time: string; pos: string; size: string }[] };
/** As a sender would send them, one in 40 ms. */
const sent: AccessUnit[] = packets.map(({ pts_time: shown, pos, size }, index) => {
  const { data, key } = read(bytes.subarray(Number(pos), Number(pos) + Number(size)));
  return { kind: 'video', dts: index * frameMs, pts: Math.round(Number(shown) * 1000) + 2 * frameMs, key, data };
});
const sets = parseHevcConfig(await boxOf('hvcC', clip));
const hashesOf = (stdout: Buffer): string[] => stdout.toString().split('\n').filter((line) => line.startsWith('0,')).map((line) => line.split(',').at(-1)?.trim() ?? '');

const decoded = async (pictures: readonly AccessUnit[]): Promise<{ errors: string; hashes: string[] }> => {
  const nals = [...sets.vps, ...sets.sps, ...sets.pps, ...pictures.flatMap(({ data }) => [...unitsOf(data)])];
  const input = Buffer.concat(nals.flatMap((nal) => [Buffer.from([0, 0, 0, 1]), nal]));
  const { stderr, stdout } = await ffmpeg(['-err_detect', 'explode', '-f', 'hevc', '-i', 'pipe:0', '-f', 'framehash', '-'], { input });
  return { errors: stderr, hashes: hashesOf(stdout) };
};

/** What is shown when the pictures stop behind the key picture of one group and come back with that of another. */
const around = (from: number, back: number): { shown: AccessUnit[]; standing: number } => {
  const standIn = new StandIn();
  standIn.begin(rtmpClock, rhythm);
  const keys = sent.flatMap(({ key }, index) => (key ? [index] : []));
  const [last = 0, next = 0] = [keys[from], keys[back]];
  const shown: AccessUnit[] = [];
  let standing = 0;
  const take = (unit: AccessUnit): void => {
    const seen = standIn.picture(unit, unit.key ? aloneAgain('hevc', unit.data) : null, unit.dts);
    if (!seen) return;
    standing += seen.before.length;
    shown.push(...seen.before, seen.unit);
  };
  const gone = 6_000;
  for (const unit of sent.slice(0, last + 1)) take(unit);
  for (let at = last * frameMs; at < last * frameMs + gone; at += 20) {
    const before = standIn.sound({ kind: 'audio', dts: at, pts: at, key: true, data: Buffer.alloc(1) }, 20_000, at) ?? [];
    standing += before.length;
    shown.push(...before);
  }
  for (const unit of sent.slice(next)) take({ ...unit, dts: unit.dts + gone, pts: unit.pts + gone });
  return { shown, standing };
};

t.test('the key picture of an open GOP that comes back behind its stand-ins is shown behind them, whatever its number', async (t) => {
  t.same(sent.filter(({ key }) => key).map(({ data }) => [...unitsOf(data)].map(hevcTypeOf).find((type) => type < hevcNal.firstNonVcl)).slice(1, 3), [hevcNal.cra, hevcNal.cra]);
  const whole = hashesOf((await mustFfmpeg(['-i', file, '-f', 'framehash', '-'])).stdout);
  t.equal(whole.length, 72);
  // The third group begins with number 12, the eleventh with 60, which is 12 again; the eighth with 42, which is 10.
  for (const [what, back] of [['a number that is the same', 10], ['a lower one', 7], ['a higher one', 5]] as const) {
    const { shown, standing } = around(2, back);
    t.ok(standing > 10, `${standing} stood in`);
    const { errors, hashes } = await decoded(shown);
    t.equal(errors, '', what);
    t.same(hashes, [...whole.slice(0, 10), ...Array.from({ length: 1 + standing }, () => whole[12]), ...whole.slice(6 * back)], what);
  }
});

t.test('the first that stands in comes when the part before it is full, and is shown behind what was decoded ahead of others', async (t) => {
  const standIn = new StandIn();
  standIn.begin(rtmpClock, rhythm);
  const data = Buffer.alloc(1);
  standIn.picture({ kind: 'video', dts: 1_000, pts: 1_080, key: true, data }, data, 1_000);
  // Shown long after it is decoded: those that lie between never come.
  standIn.picture({ kind: 'video', dts: 1_040, pts: 1_400, key: false, data }, null, 1_040);
  const stood: AccessUnit[] = [];
  for (let at = 1_040; at < 5_000; at += 20) stood.push(...(standIn.sound({ kind: 'audio', dts: at, pts: at, key: true, data }, 20_000, at, 102_000) ?? []));
  const [first, second] = stood;
  t.equal(first?.dts, 1_140, 'the part lacked 102 ms, of which two are slack');
  t.ok((first?.pts ?? 0) > 1_400, `shown at ${first?.pts}`);
  t.ok((second?.pts ?? 0) > (first?.pts ?? 0) && (second?.dts ?? 0) - (first?.dts ?? 0) > 300, 'and those behind it one after the other');
});
