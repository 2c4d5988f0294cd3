/**
 * What is made behind a video, as its owner and an admin see it and order it, by the API and over the WebSocket of a whole
 * server. What keeps a core busy is left to workers at first, of which there are none: so it stands still until it is seen.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { WebSocket } from 'ws';
import { clip } from './support/clips.ts';
import { freePorts, startServer } from './support/server.ts';
import { untilState, uploadFile } from './support/upload.ts';

type Task = { readonly name: string; readonly kind: string; readonly state: string; readonly done: number; readonly jobs: number; readonly finished: number };
type Tasks = { readonly done: number | null; readonly tasks: readonly Task[] };
type Job = { readonly id: string; readonly kind: string; readonly task: string; readonly state: string; readonly waits: number; readonly priority: number; readonly video: { readonly id: string } | null };
type Message = { readonly topic: string; readonly type: string; readonly data: Record<string, unknown> };

const data = mkdtempSync(path.join(tmpdir(), 'millrace-work-'));
const ports = await freePorts();
let server = await startServer({ data, ports, env: { MILLRACE_ENCODE_JOBS: '0' } });
let token = await server.login();
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

/** What is heard of one topic; `until` resolves with the first message, from the beginning, that is meant. */
const listen = async (topic: string) => {
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/api/v1/ws`, { headers: { authorization: `Bearer ${token}` } });
  const heard: Message[] = [];
  socket.on('message', (text) => void heard.push(JSON.parse(String(text)) as Message));
  await once(socket, 'open');
  socket.send(JSON.stringify({ subscribe: topic }));
  return {
    heard,
    until: async (isMeant: (data: Record<string, unknown>) => boolean): Promise<Message> => {
      for (;;) {
        const found = heard.find((message) => isMeant(message.data));
        if (found) return found;
        await once(socket, 'message');
      }
    },
    close: () => socket.close(),
  };
};

const states = ({ tasks }: Tasks): Record<string, string> => Object.fromEntries(tasks.map(({ name, state }) => [name, state]));
const told = (message: Record<string, unknown>): Tasks => message['tasks'] as Tasks;

t.test('tasks are seen, cancelled and tried again, and come to their end', async (t) => {
  const work = await listen('work');
  t.match(await work.until(() => true), { type: 'snapshot', data: { counts: [], running: [], workers: [{ here: true, pid: server.child.pid, running: [] }] } });
  const { id } = await uploadFile(server, token, (await clip()).file, { ladder: 'standard', title: 'A film' });
  await untilState(server, token, id, ['playable']);
  const video = await listen(`video:${id}`);
  await video.until((message) => told(message).tasks.length > 0 && states(told(message))['lowest'] === 'queued');
  await work.until(({ counts }) => (counts as { class: string; state: string }[]).some((count) => count.class === 'encode' && count.state === 'queued'));

  const ask = <T>(method: string, where: string, body?: unknown): Promise<T> => server.must<T>(method, where, body, token);
  const waiting = await ask<Tasks>('GET', `videos/${id}/tasks`);
  t.match(states(waiting), { lowest: 'queued', 'lowest-track': 'waiting' });
  const list = async (): Promise<readonly Job[]> => (await ask<{ items: Job[] }>('GET', `jobs?video=${id}`)).items;
  const one = (jobs: readonly Job[], task: string): Job | undefined => jobs.find((job) => job.task === task);
  const encode = one(await list(), 'lowest');
  t.match(encode, { kind: 'encode', state: 'queued', waits: 0, video: { id } });
  t.match(await ask('PATCH', `jobs/${encode?.id}`, { priority: 99 }), { priority: 99 });

  t.match(await ask('POST', `jobs/${encode?.id}/cancel`), { state: 'cancelled' });
  t.match(one(await list(), 'lowest-track'), { state: 'cancelled' }, 'what needs it falls with it');
  await video.until((message) => states(told(message))['lowest'] === 'cancelled');
  t.equal((await server.api('POST', `jobs/${encode?.id}/cancel`, undefined, token)).status, 409);
  t.match(await ask('POST', `jobs/${encode?.id}/retry`), { state: 'queued' });
  t.match(one(await list(), 'lowest-track'), { state: 'queued' });

  const cancelled = await ask<Tasks>('POST', `videos/${id}/tasks/cancel`);
  t.ok(cancelled.tasks.every(({ state }) => state === 'cancelled' || state === 'done'), JSON.stringify(states(cancelled)));
  t.match(await ask('GET', `videos/${id}`), { state: 'playable', error: null }, 'what plays stays');
  t.equal((await server.api('POST', `videos/${id}/tasks/cancel`, undefined, token)).status, 409);
  t.match(states(await ask<Tasks>('POST', `videos/${id}/tasks/retry`)), { lowest: 'queued', 'lowest-track': 'waiting' });
  const metrics = String((await server.api('GET', '/metrics')).body);
  t.match(metrics, /millrace_jobs_queued\{class="encode"\} 1\n/);
  t.match(metrics, /millrace_jobs_ended_total\{end="cancelled"\} [1-9]/);
  t.match(metrics, /millrace_workers\{place="here"\} 1\n/);
  work.close();
  video.close();

  // Another start does it here, as usual.
  await server.stop();
  server = await startServer({ data, ports });
  token = await server.login();
  const after = await listen(`video:${id}`);
  await after.until(({ state }) => state === 'ready');
  // An update may be older than the snapshot before it.
  const shares = after.heard.slice(1).flatMap(({ data: message }) => told(message).done ?? []);
  t.same(shares, [...shares].sort((a, b) => a - b), 'it never goes back');
  // Pictures may be made still: they hold nothing up.
  await after.until((message) => told(message).done === 1);
  after.close();
  const done = await ask<Tasks>('GET', `videos/${id}/tasks`);
  t.ok(done.tasks.every(({ state, done: share, jobs, finished }) => state === 'done' && share === 1 && jobs === finished), JSON.stringify(done));
  t.equal((await server.api('POST', `videos/${id}/tasks/retry`, undefined, token)).status, 409);
  t.equal((await server.api('POST', `videos/${id}/tasks/cancel`, undefined, token)).status, 409);

  await server.must('DELETE', `videos/${id}`, undefined, token);
  t.same(await list(), []);
});
