/** Files sent to a whole server as a client of the API does it: in parts, each with its checksum, several at a time. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { MillraceServer } from './server.ts';

type Parts = { readonly url: string; readonly size: number; readonly status: string; readonly finish: string };
export type Created = { readonly id: string; readonly upload: { readonly tus: string; readonly parts: Parts } };
export type VideoView = { readonly id: string; readonly state: string; readonly error: { readonly code: string; readonly message: string } | null };

/** For servers of tests that are about uploads themselves: whoever chooses no ladder gets the usual one, and no rung of it is made. */
export const nothingBehind = { MILLRACE_ENCODE_LADDERS: path.join(import.meta.dirname, 'ladders') };

/** Nothing is made behind it, unless the settings ask for a ladder. */
export const createUpload = async (server: MillraceServer, token: string, file: string, settings: Record<string, unknown> = {}): Promise<Created> => {
  const handle = await open(file);
  const { size } = await handle.stat();
  await handle.close();
  return server.must<Created>('POST', 'videos', { filename: file.split('/').at(-1), size, visibility: 'public', ladder: 'source', ...settings }, token);
};

/** The parts of these numbers, `together` at a time. */
export const sendParts = async ({ upload: { parts } }: Created, file: string, numbers: readonly number[], together = 4): Promise<void> => {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const left = [...numbers];
    const sender = async (): Promise<void> => {
      for (let part = left.shift(); part !== undefined; part = left.shift()) {
        const from = part * parts.size;
        const body = Buffer.alloc(Math.min(parts.size, size - from));
        await handle.read(body, 0, body.length, from);
        const digest = createHash('sha256').update(body).digest('base64');
        const answer = await fetch(parts.url.replace('{n}', String(part)), { method: 'PUT', headers: { 'content-digest': `sha-256=:${digest}:` }, body });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`part ${part}: ${answer.status} ${text}`);
      }
    };
    await Promise.all(Array.from({ length: together }, sender));
  } finally {
    await handle.close();
  }
};

export const partsOf = (size: number, partSize: number): number[] => Array.from({ length: Math.ceil(size / partSize) }, (_, part) => part);

export const finish = async ({ upload: { parts } }: Created): Promise<number> => {
  const answer = await fetch(parts.finish, { method: 'POST' });
  await answer.arrayBuffer();
  return answer.status;
};

/** All of it, from the first byte to the last. */
export const uploadFile = async (server: MillraceServer, token: string, file: string, settings: Record<string, unknown> = {}): Promise<Created> => {
  const created = await createUpload(server, token, file, settings);
  const handle = await open(file);
  const { size } = await handle.stat();
  await handle.close();
  await sendParts(created, file, partsOf(size, created.upload.parts.size));
  const status = await finish(created);
  if (status !== 200) throw new Error(`finish: ${status}`);
  return created;
};

/** Asks until the video is in one of these states, or has failed. */
export const untilState = async (server: MillraceServer, token: string, id: string, states: readonly string[], timeoutMs = 60_000): Promise<VideoView> => {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const video = await server.must<VideoView>('GET', `videos/${id}`, undefined, token);
    if (states.includes(video.state) || video.state === 'failed') return video;
    if (performance.now() > giveUpAt) throw new Error(`video ${id} is ${video.state} after ${timeoutMs / 1000} s, not ${states.join(' or ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
