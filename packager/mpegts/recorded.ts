/** For tests of views: clips of ffmpeg, sent through a show into logs in memory, as a publisher's would be. */
import { FakeClock } from '../clock.ts';
import type { Latency } from '../live/policy.ts';
import { LiveRun } from '../live/run.ts';
import { Show } from '../live/show.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock, type AccessUnit } from '../media/unit.ts';
import type { PresentationSnapshot } from '../snapshot.ts';
import { encoded } from '../../test/support/encoded.ts';
import { readFlv, type FlvClip } from '../../test/support/flv.ts';
import { readFile } from 'node:fs/promises';

export type Recorded = {
  /** Of the moment: `finish` has been called unless it was left open. */
  readonly snapshot: PresentationSnapshot;
  readonly logs: ReadonlyMap<string, MemoryLog>;
  readonly log: (track: string) => MemoryLog;
};

export type Sent = { readonly clip: FlvClip; readonly from?: number; readonly until?: number; readonly only?: 'video' | 'audio' };

/** 30 pictures a second and sound at 48 kHz; `more` comes after the codecs. */
export const clipFile = (seconds: number, x264: string, more: readonly string[] = []): Promise<string> =>
  encoded('flv', [
    ...['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=30:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-x264-params', x264, '-c:a', 'aac', '-b:a', '64k', ...more],
  ]);

export const clipOf = async (path: string): Promise<FlvClip> => readFlv(await readFile(path));

/** Each of the sendings is a session, and so an epoch. */
export const record = async (sendings: readonly Sent[], options: { latency?: Latency; end?: boolean; captions?: readonly string[] } = {}): Promise<Recorded> => {
  const clock = new FakeClock();
  const logs = new Map<string, MemoryLog>();
  const onFault = (error: unknown): void => {
    throw error;
  };
  const show = new Show({
    clock,
    wish: { latency: options.latency ?? 'low', dvrSeconds: 0, captions: options.captions ?? [] },
    fault: onFault,
    open: async (shape) => {
      for (const { id } of shape.tracks) logs.set(id, new MemoryLog());
      return new LiveRun({ facts: { video: 'video-00000001', run: 'run1234567', ...shape }, logs, clock, onFault });
    },
  });
  for (const [index, { clip, from = 0, until = Infinity, only }] of sendings.entries()) {
    if (index > 0) await show.pause();
    show.begin(rtmpClock);
    if (clip.avcConfig && only !== 'audio') show.track({ kind: 'video', codec: 'h264', config: clip.avcConfig });
    if (clip.aacConfig && only !== 'video') show.track({ kind: 'audio', codec: 'aac', config: clip.aacConfig });
    let last = from;
    for (const unit of clip.units.filter((one) => one.dts >= from && one.dts < until && (!only || one.kind === only))) {
      clock.advance(Math.max(0, unit.dts - last));
      last = Math.max(last, unit.dts);
      show.write(copied(unit));
    }
  }
  if (options.end ?? true) await show.finish();
  await show.run?.settled();
  if (!show.run) throw new Error('the gate never opened');
  const log = (track: string): MemoryLog => {
    const found = logs.get(track);
    if (!found) throw new Error(`no log of ${track}`);
    return found;
  };
  return { snapshot: show.run.snapshot(), logs, log };
};

const copied = (unit: AccessUnit): AccessUnit => ({ ...unit, data: Buffer.from(unit.data) });
