/**
 * Two hundred films that end too early, sent to a whole server: each comes to a clear end within ten seconds of its last
 * byte, with bounded memory, and when their videos are removed nothing of them is left: no program, no file, no open file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { cutEnds, cutKinds, cutShort } from '../support/cut-short.ts';
import { jobFolders, noPrograms, peakMemory, startedBy } from '../support/left-behind.ts';
import { startServer } from '../support/server.ts';
import { createUpload, finish, partsOf, sendParts, type VideoView } from '../support/upload.ts';

const count = 200;
const together = 2;
const clearWithinMs = 10_000;
/** Of the server, whose own program takes half of it; and of each program that reads what was sent. */
const mostMemory = { server: 512 * 2 ** 20, program: 768 * 2 ** 20 };

const data = mkdtempSync(path.join(tmpdir(), 'millrace-cut-'));
const server = await startServer({ data });
const token = await server.login();
const pid = server.child.pid ?? 0;
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Asked again and again, since what is removed goes a moment after that was answered. */
const until = async (holds: () => Promise<boolean>): Promise<boolean> => {
  for (const giveUpAt = performance.now() + 15_000; performance.now() < giveUpAt; ) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return holds();
};
/** More slowly than an account may ask. */
const ended = async (id: string): Promise<VideoView> => {
  for (;;) {
    const video = await server.must<VideoView>('GET', `videos/${id}`, undefined, token);
    if (video.state === 'ready' || video.state === 'failed') return video;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
const videos = path.join(data, 'videos');
const openFiles = async (): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;
/** What programs that read films take at the most, as far as they were met. */
let most = 0;
const look = async (): Promise<void> => {
  for (const child of await startedBy(pid)) most = Math.max(most, await peakMemory(child));
};

type Cut = { readonly name: string; readonly bytes: Buffer };
const cuts: Cut[] = [];
for (const [index, kind] of cutKinds.entries()) {
  for (const bytes of await cutShort(kind, count / cutKinds.length, 2026 + index)) cuts.push({ name: `${kind}, cut at ${bytes.length}`, bytes });
}

t.test(`${count} films that end too early`, { timeout: 15 * 60_000 }, async (t) => {
  const before = await openFiles();
  const ends = new Map<string, number>();
  const ids: string[] = [];
  let slowest = 0;
  const left = [...cuts];
  const sender = async (lane: number): Promise<void> => {
    const file = path.join(data, `sent-${lane}`);
    for (let cut = left.shift(); cut; cut = left.shift()) {
      const { name, bytes } = cut;
      await writeFile(file, bytes);
      const created = await createUpload(server, token, file);
      ids.push(created.id);
      await sendParts(created, file, partsOf(bytes.length, created.upload.parts.size));
      const begun = performance.now();
      if ((await finish(created)) !== 200) t.fail(`${name} is taken`);
      const { state, error } = await ended(created.id);
      const ms = performance.now() - begun;
      slowest = Math.max(slowest, ms);
      const end = error ? `${state} ${error.code}` : state;
      ends.set(end, (ends.get(end) ?? 0) + 1);
      if (!cutEnds.includes(end)) t.fail(`${name}: ${end}`);
      if (error && !/^[A-Z].*[.]$/s.test(error.message)) t.fail(`${name}: no sentence: ${error.message}`);
      if (ms > clearWithinMs) t.fail(`${name}: ${end} after ${Math.round(ms)} ms`);
      const kept = await readdir(path.join(videos, created.id));
      if (state === 'failed' && kept.join() !== 'original') t.fail(`${name}: ${kept.join(' ')} is left`);
      await look();
    }
    await rm(file, { force: true });
  };
  const looking = setInterval(() => void look(), 200);
  try {
    await Promise.all(Array.from({ length: together }, (_, lane) => sender(lane)));
  } finally {
    clearInterval(looking);
  }

  t.equal(ids.length, count);
  t.comment([...ends].map(([end, times]) => `${end}: ${times}`).join(', '), `slowest ${Math.round(slowest)} ms`);
  t.ok((ends.get('ready') ?? 0) > 0, 'some are shown as far as they go');
  t.ok([...ends.keys()].some((end) => end.startsWith('failed')), 'some are told to be broken');
  const own = await peakMemory(pid);
  t.comment(`memory: the server ${Math.round(own / 2 ** 20)} MiB, a program ${Math.round(most / 2 ** 20)} MiB`);
  t.ok(own > 0 && own < mostMemory.server);
  t.ok(most > 0 && most < mostMemory.program);

  t.ok(await until(async () => (await jobFolders(data)).length === 0), 'no folder of a job is left');
  t.ok(await noPrograms(data), 'no program is left');
  for (const id of ids) await server.must('DELETE', `videos/${id}`, undefined, token);
  t.ok(await until(async () => (await readdir(videos)).length === 0), 'no file is left');
  t.ok(await until(async () => (await openFiles()) <= before + 8), `no open file is left: ${before} before`);
});
