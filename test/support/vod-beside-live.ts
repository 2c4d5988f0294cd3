/**
 * A live show, and encodes of an uploaded film in every slot of the machine beside it: how much later the parts of the source
 * can be had than without. Each span with them lies between two without, since a machine is not the same from minute to minute.
 */
import { encoded, encodedFlv } from './encoded.ts';
import { percentile } from './figures.ts';
import { liveVideo } from './ladder-show.ts';
import { LiveSender } from './live-sender.ts';
import { PartTimes } from './part-times.ts';
import { until } from './playlists.ts';
import { startServer, type MillraceServer } from './server.ts';
import { uploadFile } from './upload.ts';
import { WorkerProcess } from './workers.ts';

export type Beside = {
  /** ms behind the moment at which the last picture of a part was over at the sender. */
  readonly without: readonly number[];
  readonly with: readonly number[];
  /** Chunks that were being encoded, of those times that it was looked. */
  readonly busy: readonly number[];
  readonly faults: readonly string[];
};

type Job = { readonly kind: string; readonly state: string };

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const scene = ['-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=30:duration=8', '-vf', 'noise=alls=12:allf=t', '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'];
const source = [...scene, '-bf', '2', '-g', '60', '-sc_threshold', '0', '-b:v', '4M', '-maxrate', '4M', '-bufsize', '4M'];

const running = async (server: MillraceServer, token: string): Promise<number> => {
  const { items } = await server.must<{ items: readonly Job[] }>('GET', 'jobs?state=leased', undefined, token);
  return items.filter(({ kind }) => kind === 'encode').length;
};

/** What encodes uploads gives way to what is live. */
const asShipped = { MILLRACE_ENCODE_GENTLE: 'true' };

/** `ladder`: of the live channel. `workers`: encodes are done by so many processes beside the server; 0: by itself. */
export const vodBesideLive = async ({ spanMs, spans, ladder = 'source', workers = 0 }: { spanMs: number; spans: number; ladder?: string; workers?: number }): Promise<Beside> => {
  const film = await encoded('mp4', ['-stream_loop', '29', '-i', await encoded('mp4', source), '-c', 'copy', '-movflags', '+faststart']);
  const live = await encodedFlv(source);
  const server = await startServer({ pictures: true, env: { ...asShipped, ...(workers > 0 ? { MILLRACE_ENCODE_JOBS: '0' } : {}) } });
  const beside = Array.from({ length: workers }, (_, at) => new WorkerProcess(server.data, { args: ['--name', `worker-${at}`, '--slots', '1'], env: asShipped }));
  try {
    await Promise.all(beside.map((worker) => worker.says('has let this worker in')));
    const token = await server.login();
    // What encoding costs here is found out while nobody does anything; only then is the machine known to be idle.
    await until(() => server.must<{ items: { cores: number | null }[] }>('GET', 'ladders', undefined, token), ({ items }) => items.every(({ cores }) => cores !== null), 60_000);
    const channel = await server.createChannel(token, { name: 'beside', ladder });
    const sender = await LiveSender.connect(server, channel, live);
    await server.live(channel);
    const times = new PartTimes(server, await liveVideo(server, channel), sender, ['v0']);
    await until(async () => times.late('v0').length, (count) => count > 15, 40_000);
    const figures = { without: [] as number[], with: [] as number[], busy: [] as number[] };
    const span = async (to: number[], look: () => Promise<void>): Promise<void> => {
      const from = performance.now();
      while (performance.now() < from + spanMs) await Promise.all([wait(500), look()]);
      to.push(...times.late('v0', from, performance.now()));
    };
    await span(figures.without, async () => undefined);
    for (let one = 0; one < spans; one += 1) {
      const { id } = await uploadFile(server, token, film, { ladder: 'standard' });
      await until(() => running(server, token), (count) => count > 0, 60_000);
      await span(figures.with, async () => void figures.busy.push(await running(server, token)));
      await server.must('DELETE', `videos/${id}`, undefined, token);
      await wait(1_000);
      await span(figures.without, async () => undefined);
    }
    await sender.end();
    await times.stop();
    return { ...figures, faults: times.faults };
  } finally {
    await Promise.all(beside.map((worker) => worker.stop()));
    await server.stop();
  }
};

export const halfAndMost = (late: readonly number[]): { readonly p50: number; readonly p95: number } => ({ p50: percentile(late, 0.5), p95: percentile(late, 0.95) });
