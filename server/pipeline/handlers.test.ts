/** Which failures of a chunk end its job, and which are tried for as often as the job says. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { EncodeWork } from '../../packager/pipeline/work.ts';
import { encoded } from '../../test/support/encoded.ts';
import { plain, recording, rung } from '../../test/support/whole-rungs.ts';
import type { Job } from '../jobs/queue.ts';
import { createLog } from '../log.ts';
import { workHandlers } from './handlers.ts';

const programs = { ffmpeg: '', ffprobe: '', version: 'some', encoders: new Set<string>(), filters: new Set<string>() };
const work = (source: EncodeWork['source']): EncodeWork => ({ video: 'v', source, version: '1', epoch: 0, from: 0, to: 1, rungs: [rung('90p', 128, 72)], treatment: plain, watermark: null });
/** A disk that gives nothing back. */
const unreadable = (): Disk => ({ ...nodeDisk, open: async (path, mode) => (path.endsWith('.cmaf') && mode === 'read' ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : nodeDisk.open(path, mode)) });

/** Attempt after attempt of a job that may have four, till there is no use in another: the reason of each. */
const attempted = async (t: Test, file: string, args: (attempt: number) => string, disk: Disk = nodeDisk): Promise<string[]> => {
  const folder = t.testdir({});
  const clip = await encoded('mp4', ['-f', 'lavfi', '-i', 'testsrc2=size=128x72:rate=10:duration=2', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-video_track_timescale', '90000']);
  const source = await recording({ folder: join(folder, 'v') }, 'v0', { epochs: [clip] });
  let attempts = 0;
  const sandbox: Partial<Sandbox> = { programs, piped: () => ({ file, args: ['-c', args(attempts)], cwd: '/', env: {} }) };
  const { encode } = workHandlers({ clock: new FakeClock(), log: createLog('fatal', { write: () => undefined }), disk, folder, sandbox: Promise.resolve(sandbox as Sandbox) });
  const reasons: string[] = [];
  for (;;) {
    attempts += 1;
    const job: Partial<Job> = { payload: work(source), attempts, maxAttempts: 4, reason: reasons.at(-1) ?? null };
    const context = { signal: new AbortController().signal, folder: join(folder, `job-${attempts}`), cores: 1, holds: async () => true, progress: () => undefined };
    const error = await encode(job as Job, context).then(() => null, (error: unknown) => error as Error & { readonly recoverable: boolean });
    if (!error) throw new Error('it was made of nothing');
    reasons.push(error.message);
    if (!error.recoverable) return reasons;
  }
};

const said = 'encode-failed: It could not be converted.';
const memory = 'encode-failed: The machine had no memory left for it.';

t.test('what ffmpeg says twice it says every time', async (t) => {
  t.same(await attempted(t, '/bin/sh', () => 'exit 1'), [said, said]);
  t.same(await attempted(t, '/bin/sh', () => 'printf nonsense >&3; cat >/dev/null'), [said, said], 'what nobody understands as well');
});

t.test('a machine that has no memory, that starts nothing or that cannot read is asked as often as the job says', async (t) => {
  t.same(await attempted(t, '/bin/sh', () => 'kill -9 $$'), [memory, memory, memory, memory]);
  t.same(await attempted(t, '/bin/sh', () => 'exit 137'), [memory, memory, memory, memory], 'where a wall says so');
  const never = 'encode-failed: Nothing can be started on this machine now.';
  t.same(await attempted(t, '/there/is/none', () => ''), [never, never, never, never]);
  const unread = 'encode-failed: Its source cannot be read.';
  t.same(await attempted(t, '/bin/sh', () => '', unreadable()), [unread, unread, unread, unread]);
  t.same(await attempted(t, '/bin/sh', (attempt) => (attempt % 2 === 1 ? 'exit 1' : 'kill -9 $$')), [said, memory, said, memory], 'what lies between two is another matter');
});
