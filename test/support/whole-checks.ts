/** What has to be true of every rung that is made in chunks, whatever the source was. */
import { join } from 'node:path';
import type { Test } from 'tap';
import type { TrackLogReader } from '../../packager/log/types.ts';
import { fileOf, probed, segmentsIn, type MadeRung, type SeenSegment, type WholeBench } from './whole-rungs.ts';

const rising = (times: readonly number[]): number[] => times.toSorted((a, b) => a - b);

/** Pictures of the source that can be decoded: nothing is known of what leads up to a key picture that nothing stands ahead of. */
export const shownBy = (segments: readonly SeenSegment[]): number[] => {
  const shown: number[] = [];
  let from: number | null = null;
  let before: SeenSegment | null = null;
  for (const segment of segments) {
    const follows = before && !before.gap && before.epoch === segment.epoch;
    if (!follows) from = null;
    if (!segment.gap && from === null && segment.keys[0]) from = segment.pts[0] ?? 0;
    const since = from;
    if (!segment.gap && since !== null) shown.push(...segment.pts.filter((pts) => pts >= since));
    before = segment;
  }
  return shown;
};

/** Frames and times as the source's, segments where the source's are, each of them decodable by itself, and nothing to complain of across the seams. */
export const checkRung = async (t: Test, bench: WholeBench, source: TrackLogReader, { name, log, joined }: MadeRung, size: { readonly width: number; readonly height: number }): Promise<void> => {
  const [theirs, ours] = [await segmentsIn(source), await segmentsIn(log)];
  t.same(ours.map(({ epoch, start, end }) => ({ epoch, start, end })), theirs.map(({ epoch, start, end }) => ({ epoch, start, end })), `${name}: segments lie where the source's do`);
  t.same(rising(ours.flatMap(({ pts }) => pts)), rising(shownBy(theirs)), `${name}: every picture at its moment`);
  for (const { gap, keys, pts, dts, start } of ours) {
    if (gap) continue;
    if (!keys[0] || keys.slice(1).includes(true)) t.fail(`${name}: segment at ${start} has key pictures ${keys.join()}`);
    if (pts.some((time) => time < (pts[0] ?? 0))) t.fail(`${name}: segment at ${start} shows a picture before its key picture`);
    if (dts.some((time, at) => at > 0 && time <= (dts[at - 1] ?? 0))) t.fail(`${name}: segment at ${start} is decoded at ${dts.join()}`);
  }
  const { epochs } = log.snapshot();
  for (const { epoch, init, reorderDelay } of epochs) {
    const own = ours.filter((segment) => segment.epoch === epoch && !segment.gap);
    if (own.length === 0) continue;
    const early = Math.max(...own.flatMap(({ pts, dts }) => pts.map((time, at) => (dts[at] ?? 0) - time)));
    t.equal(reorderDelay, Math.max(0, early), `${name}: how far pictures are decoded behind their moment`);
    t.ok(init.length > 0);
    const { frames, pts, complaints, ...shape } = await probed(await fileOf(log, join(bench.folder, `${name}-${epoch}.mp4`), epoch));
    t.same({ frames, shape, complaints }, { frames: own.flatMap((segment) => segment.pts).length, shape: size, complaints: '' }, `${name}, epoch ${epoch}: ffmpeg decodes all of it`);
    // ffmpeg's demuxer takes no offset below nothing: it shows all pictures later by as much as that.
    t.same(rising(pts).map((time) => time - reorderDelay), rising(own.flatMap((segment) => segment.pts)), `${name}, epoch ${epoch}: ffprobe sees the same times`);
  }
  t.match(joined.track, { kind: 'video', codec: 'h264', partTarget: null, group: 'video' });
  t.ok(joined.bytes > 0 && joined.track.bandwidth >= joined.track.averageBandwidth && joined.track.averageBandwidth > 0);
};
