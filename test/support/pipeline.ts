/** Videos with rungs made behind them, for whole-server tests: a small film, a ladder and a pipeline of their own, and what can be asked of the result. */
import { createDecipheriv, createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readFragments } from '../../packager/cmaf/reader.ts';
import { encoded } from './encoded.ts';
import { jobFolders } from './left-behind.ts';
import { until } from './playlists.ts';
import type { MillraceServer } from './server.ts';

type Test = { teardown(run: () => unknown): void };

/** Rungs of 240 and 180 below a film of 360, or (`phone`) one of 360; nothing but tracks is made. */
export const pipelineSettings = (t: Test): Record<string, string> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-rungs-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [ladders, pipelines] = [path.join(folder, 'ladders'), path.join(folder, 'pipelines')];
  mkdirSync(ladders);
  mkdirSync(pipelines);
  writeFileSync(path.join(ladders, 'standard.yaml'), 'rungs:\n  - { height: 240, bitrate: 300k }\n  - { height: 180, bitrate: 200k }\n');
  writeFileSync(path.join(ladders, 'phone.yaml'), 'rungs:\n  - { height: 360, bitrate: 600k }\n');
  const tasks = ['lowest: { kind: encode, rungs: lowest }', 'lowest-track: { kind: join, needs: [lowest] }', 'others: { kind: encode, rungs: others }', 'others-tracks: { kind: join, needs: [others] }'];
  writeFileSync(path.join(pipelines, 'tracks.yaml'), `tasks:\n${tasks.map((task) => `  ${task}\n`).join('')}`);
  return { MILLRACE_ENCODE_LADDERS: ladders, MILLRACE_ENCODE_PIPELINES: pipelines, MILLRACE_ENCODE_PIPELINE: 'tracks' };
};

/** 640x360 in GOPs of all lengths, with B-frames: of several chunks, as long as it lasts more than a minute. */
export const filmOf = (seconds: number): Promise<string> =>
  encoded('mp4', [
    ...['-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=12:duration=${seconds}`, '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-bf', '3', '-x264-params', 'open-gop=0:scenecut=0:keyint=1000:b-pyramid=normal'],
    ...['-force_key_frames', 'expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+2+mod(n_forced,3)*0.75))', '-pix_fmt', 'yuv420p', '-b:v', '250k'],
    ...['-c:a', 'aac', '-b:a', '64k', '-movflags', '+faststart'],
  ]);

export type Variant = { readonly height: number; readonly uri: string };

const fetched = async (url: string): Promise<Buffer> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${url}: ${response.status} ${body.subarray(0, 200).toString()}`);
  return body;
};
export const textAt = async (url: string): Promise<string> => (await fetched(url)).toString();

/** Absolute, the best first. */
export const variantsOf = async (server: MillraceServer, video: string): Promise<Variant[]> => {
  const url = `${server.origin}/play/-/${video}/master.m3u8`;
  const text = await textAt(url);
  return [...text.matchAll(/#EXT-X-STREAM-INF:.*RESOLUTION=\d+x(\d+).*\n(.*)/g)].map(([, height, uri = '']) => ({ height: Number(height), uri: new URL(uri, url).href }));
};

export type Rung = { readonly height: number; readonly init: Buffer; readonly segments: readonly Buffer[]; readonly keys: readonly string[] };

/** Everything of a variant that a player fetches, deciphered where whole segments are (AES-128). */
export const rungOf = async ({ height, uri }: Variant): Promise<Rung> => {
  const lines = (await textAt(uri)).split('\n');
  const keys = new Set<string>();
  let init: Buffer = Buffer.alloc(0);
  let decipher = (bytes: Buffer): Buffer => bytes;
  const segments: Buffer[] = [];
  for (const line of lines) {
    const named = /URI="([^"]+)"/.exec(line)?.[1];
    if (line.startsWith('#EXT-X-KEY:')) {
      keys.add(/METHOD=([^,]+)/.exec(line)?.[1] ?? '');
      decipher = await decipherOf(line, named ? new URL(named, uri).href : null);
    } else if (line.startsWith('#EXT-X-MAP:') && named) init = decipher(await fetched(new URL(named, uri).href));
    else if (line !== '' && !line.startsWith('#')) segments.push(decipher(await fetched(new URL(line, uri).href)));
  }
  return { height, init, segments, keys: [...keys] };
};

const decipherOf = async (line: string, url: string | null): Promise<(bytes: Buffer) => Buffer> => {
  const iv = /IV=0x([0-9a-fA-F]{32})/.exec(line)?.[1];
  if (!line.includes('METHOD=AES-128') || url === null || iv === undefined) return (bytes) => bytes;
  const key = await fetched(url);
  return (bytes) => {
    const cipher = createDecipheriv('aes-128-cbc', key, Buffer.from(iv, 'hex'));
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  };
};

export const rungsOf = async (server: MillraceServer, video: string): Promise<Rung[]> => {
  const rungs: Rung[] = [];
  for (const variant of await variantsOf(server, video)) rungs.push(await rungOf(variant));
  return rungs;
};

/** Of its segments, in their order. */
export const digestOf = ({ segments }: Rung): string => segments.map((bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16)).join(' ');

/** When its pictures are shown, ticks; and where its segments begin. */
export const momentsOf = ({ segments }: Rung): { readonly pictures: readonly number[]; readonly starts: readonly number[] } => {
  const pictures: number[] = [];
  const starts: number[] = [];
  for (const segment of segments) {
    const before = pictures.length;
    for (const { baseDecodeTime, samples } of readFragments(segment)) {
      let time = baseDecodeTime;
      for (const { duration, cts } of samples) {
        pictures.push(time + cts);
        time += duration;
      }
    }
    starts.push(Math.min(...pictures.slice(before)));
  }
  return { pictures: pictures.toSorted((a, b) => a - b), starts };
};

/** What lies in the folder of a video besides its original and the tracks that it lists; and folders of jobs. Asked until nothing does. */
export const leftOver = async (server: MillraceServer, video: string): Promise<string[]> => {
  const listed = async (): Promise<string[]> => {
    const variants = await variantsOf(server, video);
    const tracks = variants.map(({ uri }) => new URL(uri).pathname.split('/').at(-2) ?? '');
    const names = await readdir(path.join(server.data, 'videos', video));
    return [...names.filter((name) => name !== 'original' && !tracks.includes(name)), ...(await jobFolders(server.data))];
  };
  return until(listed, (names) => names.length === 0).catch(() => listed());
};

export type JobView = { readonly id: string; readonly kind: string; readonly class: string; readonly state: string; readonly attempts: number; readonly done: number };

export const jobsOf = async (server: MillraceServer, token: string, video: string): Promise<readonly JobView[]> =>
  (await server.must<{ readonly items: readonly JobView[] }>('GET', `jobs?video=${video}&limit=200`, undefined, token)).items;

/** Waits until one of this kind is worked on for the first time, and none anew: what is lost twice is left for as long as its lease. False: all of them are over. */
export const isWorkedOn = async (server: MillraceServer, token: string, video: string, kind: string): Promise<boolean> => {
  const ofKind = async (): Promise<readonly JobView[]> => (await jobsOf(server, token, video)).filter((job) => job.kind === kind);
  const isOver = (jobs: readonly JobView[]): boolean => jobs.length > 0 && jobs.every(({ state }) => state === 'done');
  const jobs = await until(ofKind, (all) => {
    const held = all.filter(({ state }) => state === 'leased');
    return isOver(all) || (held.length > 0 && held.every(({ attempts }) => attempts === 1));
  }, 60_000);
  return !isOver(jobs);
};
