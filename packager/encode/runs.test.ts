/** What is made of the ways in which programs end. */
import t from 'tap';
import type { Ran } from './child.ts';
import { EncodeError, inspect } from './runs.ts';
import type { SandboxRun } from './sandbox.ts';

const place = { folder: '/jobs/1', work: '/jobs/1/work', root: '/jobs/1/root' };
const itself: Ran = { code: 0, killedBy: null, ended: 'itself', output: Buffer.from('{}'), complaints: '' };

/** An inspection whose program ends like this; and what it had been allowed. */
const ending = async (ran: Partial<Ran>): Promise<{ readonly error: unknown; readonly run: SandboxRun | null }> => {
  let run: SandboxRun | null = null;
  const sandbox = { run: async (asked: SandboxRun): Promise<Ran> => ((run = asked), { ...itself, ...ran }) };
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
});

t.test('a program that was hardly let work may be started again; one that worked all of its time may not', async (t) => {
  const { error: waited } = await ending({ code: null, killedBy: 'SIGKILL', ended: 'time' });
  t.ok(waited instanceof EncodeError);
  t.match(waited, { code: 'took-too-long', recoverable: true });
  for (const worked of [{ code: null, killedBy: 'SIGXCPU' }, { code: 128 + 24 }] as const) t.match((await ending(worked)).error, { code: 'took-too-long', recoverable: false });
  t.match((await ending({ code: null, killedBy: 'SIGKILL', ended: 'unwanted' })).error, { code: 'unwanted' });
});
