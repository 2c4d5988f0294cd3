import { chmod, link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import t from 'tap';
import { systemClock } from '../clock.ts';
import type { Ran } from './child.ts';
import { confine, levelOf, type Limits, type Wall } from './confine.ts';
import { EncodeError, inspect } from './runs.ts';
import { findPrograms, isTooOld, NoPrograms } from './programs.ts';
import { inputName, makeJobPlace, Sandbox, type SandboxRun } from './sandbox.ts';

const programs = await findPrograms();
/** The shell in the place of ffprobe: what it can do is what a program that was taken over could. */
const withShell = { ...programs, ffprobe: '/bin/sh' };
const roomy: Limits = { memoryBytes: 4 * 2 ** 30, cpuSeconds: 20, fileBytes: 1 << 20 };

const folder = await mkdtemp(join(tmpdir(), 'millrace-sandbox-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const best = await Sandbox.open({ programs: withShell, clock: systemClock, folder });

const closed = async (t: { pass(why: string): unknown }, wall: Wall): Promise<Sandbox | null> => {
  const sandbox = await Sandbox.open({ programs: withShell, clock: systemClock, folder, only: [wall] });
  if (!sandbox) t.pass(`this machine does not allow ${wall}`);
  return sandbox;
};

const say = async (sandbox: Sandbox, script: string, more: Partial<SandboxRun> = {}, args: string[] = []): Promise<Ran & { said: string }> => {
  const place = await makeJobPlace(await mkdtemp(join(folder, 'job-')));
  await writeFile(join(place.work, inputName), 'what was sent');
  const ran = await sandbox.run({ program: 'ffprobe', args: ['-c', script, 'sh', ...args], place, limits: roomy, wallMs: 20_000, ...more });
  return { ...ran, said: ran.output.toString() };
};

/** Processes that carry this text among their arguments. */
const alive = async (mark: string): Promise<string[]> => {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (line.includes(mark)) found.push(line);
  }
  return found;
};

const gone = async (mark: string): Promise<boolean> => {
  for (let look = 0; look < 100; look += 1) {
    if ((await alive(mark)).length === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};

t.test('the best walls that hold are used, and say which they are', async (t) => {
  t.ok(best);
  t.ok(best && ['full', 'no-network', 'limits', 'bare'].includes(best.level));
  t.same(await readdir(folder), [], 'trying left nothing behind');
});

for (const wall of ['bwrap', 'unshare'] as const) {
  t.test(`behind ${wall} there is nothing of this machine but its programs and the job`, async (t) => {
    const sandbox = await closed(t, wall);
    if (!sandbox) return;
    const secret = join(folder, 'master.key');
    await writeFile(secret, 'secret');
    const { said, code } = await say(sandbox, 'pwd; ls; cat input; echo; ls /; cat "$1" /etc/passwd /proc/1/environ; echo over', {}, [secret]);
    t.equal(code, 0);
    const [here, file, what, ...rest] = said.trim().split('\n');
    t.same([here, file, what], ['/job', 'input', 'what was sent']);
    t.notMatch(said, 'secret');
    t.equal(rest.at(-1), 'over');
    const allowed = ['bin', 'dev', 'etc', 'job', 'lib', 'lib32', 'lib64', 'libx32', 'nix', 'gnu', 'sbin', 'usr', 'tmp'];
    t.same(rest.slice(0, -1).filter((name) => !allowed.includes(name)), []);
  });

  t.test(`behind ${wall} nothing can be written but beside the input, and the input is what it was`, async (t) => {
    const sandbox = await closed(t, wall);
    if (!sandbox) return;
    const original = join(folder, `original-${wall}`);
    await writeFile(original, 'original', { mode: 0o600 });
    const place = await makeJobPlace(join(folder, `write-${wall}`));
    await link(original, join(place.work, inputName));
    const script = 'echo a > /usr/a; echo a > /a; rm -f /usr/bin/env; echo spoiled > input; rm -f input; chmod 777 input; echo made > made; cat made';
    const { output } = await sandbox.run({ program: 'ffprobe', args: ['-c', script], place, limits: roomy, wallMs: 20_000 });
    t.equal(output.toString(), 'made\n');
    t.equal(await readFile(original, 'utf8'), 'original');
    t.equal(await readFile(join(place.work, 'made'), 'utf8'), 'made\n');
    t.same((await readdir(place.work)).sort(), ['input', 'made']);
  });

  t.test(`behind ${wall} nobody can mount, leave the root, become somebody else or make further walls`, async (t) => {
    const sandbox = await closed(t, wall);
    if (!sandbox) return;
    const { said } = await say(sandbox, 'mount -t tmpfs none /job && echo mounted; chroot /usr true && echo left; unshare -Ur true && echo nested; mknod /job/disk b 8 0 && echo device; echo over');
    t.equal(said, 'over\n');
  });
}

for (const wall of ['bwrap', 'unshare', 'no-network'] as const) {
  t.test(`behind ${wall} there is no network, not even this machine's own`, async (t) => {
    const sandbox = await closed(t, wall);
    if (!sandbox) return;
    let calls = 0;
    const server = createServer((socket) => {
      calls += 1;
      socket.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const address = server.address();
    const url = `tcp://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    const bare = await Sandbox.open({ programs, clock: systemClock, folder, only: ['bare'] });
    const ask = async (from: Sandbox): Promise<string> => {
      const place = await makeJobPlace(await mkdtemp(join(folder, 'net-')));
      await writeFile(join(place.work, inputName), '');
      return (await from.run({ program: 'ffmpeg', args: ['-nostdin', '-v', 'error', '-f', 'mpegts', '-i', url, '-f', 'null', '-'], place, limits: roomy, wallMs: 10_000 })).complaints;
    };
    if (bare) await ask(bare);
    t.equal(calls, 1, 'in the open it would have called');
    t.match(await ask(sandbox), /unreachable|refused|failed/i);
    t.equal(calls, 1);
  });
}

t.test('what a program starts ends with it, and all of it ends when nobody wants it any more', async (t) => {
  if (!best) return;
  const mark = `86${process.pid}41`;
  const script = `sleep ${mark} & sleep ${mark} & (sleep ${mark} & sleep ${mark}) & echo started; wait`;
  const abort = new AbortController();
  const ran = await say(best, script, { signal: abort.signal, line: () => abort.abort() });
  t.equal(ran.ended, 'unwanted');
  t.ok(await gone(mark));
  const left = await say(best, `sleep ${mark} >/dev/null 2>&1 & exit 3`);
  t.equal(left.code, 3);
  t.ok(await gone(mark));
});

t.test('time, output, complaints and files are limited, and the end says by what', async (t) => {
  if (!best) return;
  const slow = await say(best, 'sleep 30', { wallMs: 300 });
  t.equal(slow.ended, 'time');
  const chatty = await say(best, 'yes', { outputBytes: 100_000 });
  t.equal(chatty.ended, 'output');
  t.ok(chatty.output.length <= 100_000);
  const loud = await say(best, 'head -c 3000000 /dev/zero | tr "\\0" x >&2; echo the end >&2');
  t.ok(loud.complaints.length <= 64 * 1024 && loud.complaints.endsWith('the end\n'));
  if (best.level === 'bare') return;
  const large = await say(best, 'head -c 5000000 /dev/zero > made; echo $?; wc -c < made');
  t.match(large.said, /1048576/);
  const busy = await say(best, 'while :; do :; done', { limits: { ...roomy, cpuSeconds: 1 } });
  t.not(busy.code, 0);
  t.equal(busy.ended, 'itself');
  const bench = { place: await makeJobPlace(join(folder, 'busy')), container: 'matroska', signal: new AbortController().signal } as const;
  const looked: unknown = await inspect({ ...bench, sandbox: { level: best.level, run: async () => busy } }).catch((error: unknown) => error);
  t.ok(looked instanceof EncodeError);
  t.match(looked, { code: 'took-too-long', recoverable: false }, 'what ate its processor time would do so again');
  const hungry = await say(best, 'a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done', { limits: { ...roomy, memoryBytes: 64 * 2 ** 20 } });
  t.not(hungry.code, 0);
});

t.test('nothing of the server’s own environment is seen', async (t) => {
  if (!best) return;
  process.env['MILLRACE_ADMIN_PASSWORD'] = 'hidden away';
  t.teardown(() => {
    delete process.env['MILLRACE_ADMIN_PASSWORD'];
  });
  const { said } = await say(best, 'env; echo over');
  t.notMatch(said, 'hidden away');
  t.match(said, 'LC_ALL=C');
});

t.test('the server’s end, however sudden, is the end of what it started', async (t) => {
  if (!best || best.level === 'bare') return t.pass('this machine has no tools for it');
  const mark = `87${process.pid}41`;
  const program = `
    import { Sandbox, makeJobPlace } from ${JSON.stringify(new URL('sandbox.ts', import.meta.url).href)};
    import { findPrograms } from ${JSON.stringify(new URL('programs.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../clock.ts', import.meta.url).href)};
    import { writeFileSync } from 'node:fs';
    const folder = ${JSON.stringify(folder)};
    const sandbox = await Sandbox.open({ programs: { ...(await findPrograms()), ffprobe: '/bin/sh' }, clock: systemClock, folder });
    const place = await makeJobPlace(folder + '/dies');
    writeFileSync(place.work + '/input', '');
    await sandbox.run({ program: 'ffprobe', args: ['-c', 'echo up; sleep ${mark}'], place, limits: ${JSON.stringify(roomy)}, wallMs: 60000, line: (text) => console.log(text) });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  t.ok((await alive(mark)).length > 0);
  child.kill('SIGKILL');
  t.ok(await gone(mark));
});

t.test('programs: which are taken, and why none are', async (t) => {
  t.ok(programs.encoders.has('libx264') && programs.filters.has('scale'));
  t.same(['4.4.2-0ubuntu0', '5.0', 'n4.2', '5.1.9-0+deb12u1', 'n7.1', '8.0', '10.2', 'N-118000-g1234567', '2026-01-01-git-abc'].map(isTooOld), [true, true, true, false, false, false, false, false, false]);
  await t.rejects(findPrograms({ PATH: folder }), new NoPrograms('ffmpeg is not in PATH'));
  await t.rejects(findPrograms({ PATH: folder, FFMPEG_PATH: join(folder, 'none') }), NoPrograms);
  const fake = join(folder, 'ffmpeg');
  await writeFile(fake, '#!/bin/sh\necho "ffmpeg version 4.4.1 Copyright" >&2\n');
  await chmod(fake, 0o755);
  await writeFile(join(folder, 'ffprobe'), '');
  await chmod(join(folder, 'ffprobe'), 0o755);
  await t.rejects(findPrograms({ PATH: folder }), /4\.4\.1 is too old/);
});

t.test('each wall says what it lacks, and is no wall then', (t) => {
  const run = { program: '/usr/bin/ffmpeg', args: [], homes: ['/opt/x'], folder: '/job', root: '/root', input: null, limits: roomy, manners: 'gentle' as const };
  const all = { bwrap: '/b', unshare: '/u', setpriv: '/s', prlimit: '/p', nice: '/n', ionice: '/i', sh: '/sh' };
  for (const wall of ['bwrap', 'unshare', 'no-network', 'limits', 'bare'] as const) t.ok(confine(wall, all, run), wall);
  const { bwrap: _bwrap, ...noBwrap } = all;
  t.equal(confine('bwrap', noBwrap, run), null);
  t.equal(confine('unshare', { ...noBwrap, unshare: '/u' }, run)?.args.includes('/opt/x'), false);
  t.ok(confine('unshare', all, run)?.args.some((word) => word.split('\n').includes('/opt/x')), 'the folder of a program that the operator named');
  t.same(confine('bare', all, run)?.args.slice(0, 2), ['-n', '10'], 'others come first');
  t.same(confine('bare', all, { ...run, manners: 'behind-live' })?.args.slice(0, 2), ['-n', '12'], 'and live before what may take hours');
  t.same(confine('limits', all, { ...run, manners: 'behind-live' })?.args.slice(3, 9), ['/n', '-n', '12', '/i', '-c', '3']);
  t.equal(confine('limits', {}, run), null);
  t.same(confine('bare', {}, run)?.file, '/usr/bin/ffmpeg');
  t.same((['bwrap', 'unshare', 'no-network', 'limits', 'bare'] as const).map(levelOf), ['full', 'full', 'no-network', 'limits', 'bare']);
  t.end();
});
