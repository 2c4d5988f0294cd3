/** A server that leaves all encodes to workers, and what becomes of a film's chunks there. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import { clip } from './clips.ts';
import { encoded } from './encoded.ts';
import type { MillraceServer } from './server.ts';
import { createUpload, finish, partsOf, sendParts } from './upload.ts';

export const leftToWorkers = { MILLRACE_ENCODE_JOBS: '0' };

export type ChunkJob = { readonly id: string; readonly kind: string; readonly state: string; readonly attempts: number; readonly worker: string | null };
export type WorkerSeen = { readonly id: string; readonly name: string; readonly here: boolean; readonly running: readonly { readonly job: string; readonly kind: string; readonly done: number }[] };

/** Half a minute is a chunk, and takes a core two seconds. */
export const film = async (chunks: number): Promise<string> => {
  const { file, seconds } = await clip();
  return encoded('mp4', ['-stream_loop', String(Math.ceil((chunks * 30) / seconds) - 1), '-i', file, '-c', 'copy', '-movflags', '+faststart']);
};

export class WorkerStage {
  readonly server: MillraceServer;
  readonly token: string;

  constructor(server: MillraceServer, token: string) {
    this.server = server;
    this.token = token;
  }

  async upload(file: string): Promise<string> {
    const created = await createUpload(this.server, this.token, file, { ladder: 'standard' });
    await sendParts(created, file, partsOf((await stat(file)).size, created.upload.parts.size));
    const status = await finish(created);
    if (status !== 200) throw new Error(`finish: ${status}`);
    return created.id;
  }

  async chunks(video: string): Promise<readonly ChunkJob[]> {
    const { items } = await this.server.must<{ items: readonly ChunkJob[] }>('GET', `jobs?video=${video}&class=encode&limit=100`, undefined, this.token);
    return items.filter(({ kind }) => kind === 'encode');
  }

  async workers(): Promise<readonly WorkerSeen[]> {
    const { items } = await this.server.must<{ items: readonly WorkerSeen[] }>('GET', 'workers', undefined, this.token);
    return items.filter(({ here }) => !here);
  }

  /** When nothing is left to be done for anybody; pictures come when a video is ready. */
  async quiet(): Promise<void> {
    for (let look = 0; look < 1_000; look += 1) {
      const open = await Promise.all(['queued', 'leased'].map((state) => this.server.must<{ items: readonly unknown[] }>('GET', `jobs?state=${state}`, undefined, this.token)));
      if (open.every(({ items }) => items.length === 0)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`there is always something to be done:\n${this.server.log.slice(-4096)}`);
  }

  /** When this one, or any, is encoding. */
  async working(name?: string): Promise<WorkerSeen> {
    for (let look = 0; look < 3_000; look += 1) {
      const found = (await this.workers()).find((worker) => (name === undefined || worker.name === name) && worker.running.some(({ kind }) => kind === 'encode'));
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`nobody encodes:\n${this.server.log.slice(-4096)}`);
  }

  /** What players get of the rungs of a video, by its bytes. */
  async rungs(video: string): Promise<readonly string[]> {
    const home = path.join(this.server.data, 'videos', video);
    const tracks = (await readdir(home, { withFileTypes: true })).filter((one) => one.isDirectory() && one.name.startsWith('v'));
    const digests = tracks.map(async ({ name }) => {
      const log = await openTrackLogReader({ disk: nodeDisk, folder: path.join(home, name) });
      try {
        const { epochs, end } = log.snapshot();
        const digest = createHash('sha256');
        for (const { init } of epochs) digest.update(init);
        for (const bytes of await log.read(0, end)) digest.update(bytes);
        return digest.digest('hex');
      } finally {
        await log.close();
      }
    });
    return (await Promise.all(digests)).toSorted();
  }

  /** Nothing of what was begun and not needed. */
  async leftOvers(video: string): Promise<readonly string[]> {
    const { data } = this.server;
    const [jobs, home] = await Promise.all([readdir(path.join(data, 'jobs'), { recursive: true }), readdir(path.join(data, 'videos', video))]);
    return [...jobs.filter((name) => /^w-[a-z0-9]+\//.test(name)), ...home.filter((name) => name === 'work')];
  }
}
