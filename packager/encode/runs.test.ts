/** What is made of the ways in which programs end. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Ran } from './child.ts';
import { captionName } from './captions.ts';
import type { TextStream } from './inspection.ts';
import { EncodeError, inspect, make, takeCaptions } from './runs.ts';
import type { JobPlace, Sandbox, SandboxRun } from './sandbox.ts';

const place = { folder: '/jobs/1', work: '/jobs/1/work', root: '/jobs/1/root' };
const itself: Ran = { code: 0, killedBy: null, ended: 'itself', output: Buffer.from('{}'), complaints: '' };

/** An inspection whose program ends like this; and what it had been allowed. */
const ending = async (ran: Partial<Ran>, level: Sandbox['level'] = 'full'): Promise<{ readonly error: unknown; readonly run: SandboxRun | null }> => {
  let run: SandboxRun | null = null;
  const sandbox = { level, run: async (asked: SandboxRun): Promise<Ran> => ((run = asked), { ...itself, ...ran }) };
  const error = await inspect({ sandbox, place, container: 'matroska', signal: new AbortController().signal }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, run };
};

t.test('an inspection is held to the work that it may do, and hardly to the time that it takes', async (t) => {
  const { run } = await ending({});
  t.equal(run?.limits.cpuSeconds, 8);
  t.ok((run?.wallMs ?? 0) > 5 * 8_000, 'a machine under load gives it a part of its time');
  t.equal((await ending({}, 'bare')).run?.wallMs, 8_000, 'where nobody counts its work, its time is counted');
});

t.test('a program that was hardly let work may be started again; one that worked all of its time may not', async (t) => {
  const { error: waited } = await ending({ code: null, killedBy: 'SIGKILL', ended: 'time' });
  t.ok(waited instanceof EncodeError);
  t.match(waited, { code: 'took-too-long', recoverable: true });
  for (const worked of [{ code: null, killedBy: 'SIGXCPU' }, { code: 128 + 24 }, { code: null, killedBy: 'SIGKILL' }, { code: 128 + 9 }] as const) t.match((await ending(worked)).error, { code: 'took-too-long', recoverable: false });
  t.match((await ending({ code: null, killedBy: 'SIGKILL', ended: 'unwanted' })).error, { code: 'unwanted' });
});

t.test('ffmpeg that worked too long ends by itself, which is not mistaken for something that may go better', async (t) => {
  const step = { kind: 'remux', picture: { how: 'copy', stream: 0 }, sounds: [], original: { picture: false, sound: false } } as const;
  const made = async (ran: Partial<Ran>): Promise<unknown> => {
    const sandbox: Pick<Sandbox, 'run' | 'level'> = { level: 'full', run: async () => ({ ...itself, ...ran }) };
    const bench = { sandbox, place, container: 'matroska', signal: new AbortController().signal } as const;
    return make(bench, { step, threads: 1, lenient: false, duration: 1, fileBytes: 1, progress: () => undefined }).catch((error: unknown) => error);
  };
  for (const code of [255, 123, 128 + 24]) t.match(await made({ code }), { code: 'took-too-long', recoverable: false });
  t.match(await made({ code: 255, complaints: 'Error initializing filters: Operation not permitted' }), { code: 'encode-failed', recoverable: false });
  t.match(await made({ code: null, killedBy: 'SIGKILL' }), { code: 'encode-failed', recoverable: true });
});

const texts: readonly TextStream[] = ['en', 'ko', 'fr'].map((language, index) => ({ index, codec: 'subrip', language, name: null, isDefault: false, isForced: false }));
const cues = 'WEBVTT\n\n00:01.000 --> 00:02.000\nThe mill\n';

t.test('captions', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-runs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const own: JobPlace = { folder, work: folder, root: folder };
  /** `of` says how a run for these streams ends; each of them leaves a text behind that looks whole. */
  const taking = async (of: (streams: readonly string[]) => Partial<Ran>): Promise<unknown> => {
    const run = async ({ args }: SandboxRun): Promise<Ran> => {
      const streams = args.filter((word) => /^0:\d$/.test(word));
      for (const at of streams.keys()) await writeFile(join(folder, captionName(at)), `${cues}${streams[at]}`);
      return { ...itself, ...of(streams) };
    };
    return takeCaptions({ sandbox: { level: 'full', run }, place: own, container: 'matroska', signal: new AbortController().signal }, texts, 1000).catch((error: unknown) => error);
  };

  t.test('what ends the program costs only itself, and half of a text is none', async (t) => {
    const all = await taking((streams) => (streams.includes('0:1') ? { code: null, killedBy: 'SIGXFSZ' } : {}));
    t.same(all, [`${cues}0:0`, null, `${cues}0:2`]);
    let runs = 0;
    t.same(await taking(() => ((runs += 1), { code: 255 })), [null, null, null]);
    t.equal(runs, 1, 'what eats its processor time is not let do it once for each');
  });

  t.test('what may go better another time is said to', async (t) => {
    t.match(await taking(() => ({ code: null, killedBy: 'SIGKILL', ended: 'time' })), { code: 'took-too-long', recoverable: true });
    t.match(await taking(() => ({ code: 228, complaints: 'No space left on device' })), { code: 'no-room', recoverable: true });
    t.match(await taking(() => ({ ended: 'unwanted' })), { code: 'unwanted' });
  });

  t.test('a link that a program left is not followed', async (t) => {
    const secret = join(folder, 'secret');
    await writeFile(secret, cues);
    const run = async (): Promise<Ran> => {
      await rm(join(folder, captionName(0)), { force: true });
      await symlink(secret, join(folder, captionName(0)));
      return itself;
    };
    t.same(await takeCaptions({ sandbox: { level: 'full', run }, place: own, container: 'matroska', signal: new AbortController().signal }, texts.slice(0, 1), 1000), [null]);
  });
});
