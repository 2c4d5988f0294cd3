/**
 * The DASH view in dash.js and Shaka as they come from npm, in a real Chromium: a recording of two epochs, and a show
 * in progress over an outage and over its end. The server is a few lines of this file, so that what is judged is the
 * manifest, and the rules of the segment in progress.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { FakeClock, systemClock, type Clock } from '../packager/clock.ts';
import { manifest } from '../packager/dash/mpd.ts';
import { timeAnswer } from '../packager/dash/names.ts';
import { progress } from '../packager/dash/open-segment.ts';
import { LiveRun, type RunFacts } from '../packager/live/run.ts';
import { Show } from '../packager/live/show.ts';
import { MemoryLog } from '../packager/log/memory-log.ts';
import { rtmpClock } from '../packager/media/unit.ts';
import { parseMediaName } from '../packager/names.ts';
import { launchChromium } from './support/chromium.ts';
import type { FlvClip } from './support/flv.ts';
import { flvClip } from './support/show-sender.ts';

const modules = path.resolve(import.meta.dirname, '../node_modules');
const players = { dash: 'dashjs/dist/modern/umd/dash.all.min.js', shaka: 'shaka-player/dist/shaka-player.compiled.js' } as const;
type PlayerName = keyof typeof players;

/** One show over a memory log, pushed as fast as its clock goes. */
class Stage {
  readonly logs = new Map<string, MemoryLog>();
  readonly faults: unknown[] = [];
  readonly show: Show;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    const onFault = (error: unknown): void => void this.faults.push(error);
    this.show = new Show({
      clock,
      wish: { latency: 'low', dvrSeconds: 0, captions: [] },
      fault: onFault,
      open: async (shape) => {
        for (const { id } of shape.tracks) this.logs.set(id, new MemoryLog());
        const facts: RunFacts = { video: 'video-00000001', run: 'k3v9x0a2b7', ...shape };
        return new LiveRun({ facts, logs: this.logs, clock, onFault });
      },
    });
  }

  get run(): LiveRun {
    if (!this.show.run) throw new Error('the gate has not opened');
    return this.show.run;
  }

  begin({ avcConfig, aacConfig }: FlvClip): void {
    this.show.begin(rtmpClock);
    if (avcConfig) this.show.track({ kind: 'video', codec: 'h264', config: avcConfig });
    if (aacConfig) this.show.track({ kind: 'audio', codec: 'aac', config: aacConfig });
  }

  /** The clip in a loop, each unit at its time. The returned function stops it. */
  pushInRealTime(clip: FlvClip): () => void {
    this.begin(clip);
    const from = this.#clock.now();
    let sent = 0;
    const timer = setInterval(() => {
      for (;;) {
        const unit = clip.units[sent % clip.units.length];
        const shift = Math.floor(sent / clip.units.length) * clipMs;
        if (!unit || unit.dts + shift > this.#clock.now() - from) return;
        this.show.write({ ...unit, dts: unit.dts + shift, pts: unit.pts + shift });
        sent++;
      }
    }, 10);
    return () => clearInterval(timer);
  }
}
const clipMs = 8000;

const page = (player: PlayerName): string => `<!doctype html><link rel="icon" href="data:,"><video id="video" muted playsinline width="320"></video>
<script src="/${player}.js"></script><script>
const video = document.getElementById('video');
const seen = { errors: [], stalls: 0, samples: [], ended: false };
video.addEventListener('waiting', () => { if (seen.samples.length > 0 && !video.seeking) seen.stalls++; });
video.addEventListener('ended', () => { seen.ended = true; });
video.addEventListener('error', () => seen.errors.push('media: ' + video.error.message));
setInterval(() => { if (!video.paused) seen.samples.push({ wall: Date.now(), time: video.currentTime, rate: video.playbackRate }); }, 250);
const url = '/play/-/video-00000001/manifest.mpd';
${
  player === 'dash'
    ? `const player = dashjs.MediaPlayer().create();
player.clearDefaultUTCTimingSources();
player.on('error', ({ error }) => seen.errors.push('dash.js: ' + (error.message || error.code)));
player.initialize(video, url, true);`
    : `shaka.polyfill.installAll();
const player = new shaka.Player();
player.addEventListener('error', ({ detail }) => seen.errors.push('Shaka: ' + detail.code + ' ' + detail.data));
player.attach(video).then(() => player.load(url)).then(() => video.play()).catch((error) => seen.errors.push('Shaka: ' + error.code + ' ' + error.data));`
}
</script>`;

type Seen = { errors: string[]; stalls: number; samples: { wall: number; time: number; rate: number }[]; ended: boolean };

type Traffic = { chunked: number; held: number; refused: string[]; manifests: number };

const serve = async (stage: () => Stage, wasLive: boolean): Promise<{ origin: string; traffic: Traffic; close: () => Promise<void> }> => {
  const traffic: Traffic = { chunked: 0, held: 0, refused: [], manifests: 0 };
  const changed = (run: LiveRun): Promise<void> =>
    new Promise((resolve) => {
      const leave = run.onChange(() => {
        leave();
        resolve();
      });
    });

  const media = async (response: ServerResponse, track: string, name: string): Promise<void> => {
    const { run, logs } = stage();
    const log = logs.get(track);
    const asked = parseMediaName(name);
    if (!log || !asked || asked.kind === 'part') return void response.writeHead(404).end();
    if (asked.kind === 'init') {
      const init = run.snapshot().tracks.find(({ id }) => id === track)?.epochs.find(({ epoch }) => epoch === asked.epoch)?.init;
      return void response.writeHead(init ? 200 : 404, { 'content-type': 'video/mp4' }).end(init);
    }
    let sent = 0;
    for (;;) {
      const now = progress(run.snapshot(), track, asked.msn, sent);
      if (now.kind === 'gone') {
        traffic.refused.push(name);
        return void (sent > 0 ? response.destroy() : response.writeHead(404).end());
      }
      if (now.kind === 'closed') {
        const parts = run.snapshot().tracks.find(({ id }) => id === track)?.segments.find(({ msn }) => msn === asked.msn)?.parts ?? [];
        const bytes = Buffer.concat(await log.read(parts[0]?.seq ?? 0, (parts.at(-1)?.seq ?? 0) + 1));
        return void response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': bytes.length }).end(bytes);
      }
      if (now.kind === 'open') {
        if (!response.headersSent) {
          response.writeHead(200, { 'content-type': 'video/mp4' });
          traffic.chunked++;
        }
        for (const part of now.ready) {
          sent++;
          if (!part.gap) response.write(Buffer.concat(await log.read(part.seq, part.seq + 1)));
        }
        if (now.complete) return void response.end();
      } else traffic.held++;
      await changed(run);
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://test');
    const player = /^\/(dash|shaka)(\.js)?$/.exec(pathname);
    const name = player?.[1] as PlayerName | undefined;
    if (name) return void response.end(player?.[2] ? await readFile(path.join(modules, players[name])) : page(name));
    if (pathname === '/play/time') return void response.writeHead(200, { 'content-type': 'text/plain' }).end(timeAnswer(Date.now()));
    const file = /^\/play\/-\/video-00000001\/(?:(\w+)\/)?([\w.-]+)$/.exec(pathname);
    if (file?.[2] === 'manifest.mpd') {
      traffic.manifests++;
      const text = manifest(stage().run.snapshot(), { wasLive });
      return void response.writeHead(text === null ? 404 : 200, { 'content-type': 'application/dash+xml' }).end(text);
    }
    if (file) return media(response, file[1] ?? '', file[2] ?? '');
    response.writeHead(404).end();
  };

  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    answer(request, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    traffic,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

t.setTimeout(110_000);
const clip = await flvClip({ bframes: 2, width: 320, height: 180, kbps: 300 });
const browser = await launchChromium();
t.teardown(() => browser.close());

type Watching = { name: PlayerName; see: () => Promise<Seen>; until: (condition: string, ms: number) => Promise<void>; run: (code: string) => Promise<unknown> };
const watch = async (origin: string, name: PlayerName): Promise<Watching> => {
  const page = await browser.newPage();
  await page.goto(`${origin}/${name}`);
  return {
    name,
    see: () => page.evaluate('seen'),
    until: async (condition, timeout) => {
      await page.waitForFunction(condition, undefined, { timeout, polling: 50 });
    },
    run: (code) => page.evaluate(code),
  };
};
const names = ['dash', 'shaka'] as const;

t.test('a recording of two epochs plays over the border between them and to its end', async (t) => {
  const clock = new FakeClock();
  const stage = new Stage(clock);
  for (const shift of [0, 1_000_000]) {
    stage.begin(clip);
    let last = 0;
    for (const unit of clip.units) {
      if (unit.dts >= 6000) continue;
      clock.advance(Math.max(0, unit.dts - last));
      last = Math.max(last, unit.dts);
      stage.show.write({ ...unit, dts: unit.dts + shift, pts: unit.pts + shift });
    }
    await stage.show.pause();
    clock.advance(30_000);
  }
  t.ok(await stage.show.finish());
  t.same(stage.faults, []);
  const server = await serve(() => stage, false);
  t.teardown(server.close);
  for (const watching of await Promise.all(names.map((name) => watch(server.origin, name)))) {
    const { name, see, until, run } = watching;
    await until('video.currentTime > 0.5', 15_000);
    t.ok(Math.abs(Number(await run('video.duration')) - 12) < 0.2, `${name}: 12 s long`);
    await run('video.currentTime = 4.5');
    await until('video.currentTime > 7', 15_000);
    await run('video.currentTime = 10.5');
    await until('seen.ended', 15_000);
    await run('video.currentTime = 1; video.play()');
    await until('video.currentTime > 1.5 && video.currentTime < 5', 15_000);
    t.same((await see()).errors, [], `${name}: no errors`);
  }
  t.same(server.traffic.refused, []);
});

const round = (seconds: number): number => Math.round(seconds * 100) / 100;

t.test('a show in progress plays at low latency, over an outage, and to its end', async (t) => {
  const stage = new Stage(systemClock);
  let stop = stage.pushInRealTime(clip);
  t.teardown(() => stop());
  const server = await serve(() => stage, true);
  t.teardown(server.close);
  const waitMs = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
  while (stage.show.run === null || manifest(stage.run.snapshot()) === null) await waitMs(50);
  const begin = (): number => stage.run.snapshot().epochs[0]?.wallClock ?? 0;

  const watching = await Promise.all(names.map((name) => watch(server.origin, name)));
  // Where a player begins depends on how long the page took to load: it catches up within seconds.
  // How low it gets is a matter of measurement, on a machine with nothing else to do; here it must only be live.
  const most = (name: PlayerName): number => (name === 'dash' ? 4 : 6);
  const behind = (seconds: number): string => `seen.samples.slice(-12).every(({ wall, time }) => (wall - ${begin()}) / 1000 - time < ${seconds})`;
  await Promise.all(watching.map(({ name, until }) => until(`seen.samples.length > 30 && ${behind(most(name))}`, 30_000)));
  const latencies = async (it: Watching, count: number): Promise<number[]> => {
    const { samples } = await it.see();
    return samples.slice(-count).map(({ wall, time }) => (wall - begin()) / 1000 - time).toSorted((a, b) => a - b);
  };
  for (const it of watching) {
    const [found, seen] = [await latencies(it, 12), await it.see()];
    const middle = found[Math.floor(found.length / 2)] ?? Infinity;
    t.comment(`${it.name}: latency ${round(middle)} s (${round(found[0] ?? 0)} … ${round(found.at(-1) ?? 0)}), ${seen.stalls} stalls, rate ${seen.samples.at(-1)?.rate}`);
    t.ok(middle < most(it.name), `${it.name}: ${round(middle)} s behind`);
    t.same(seen.errors, [], `${it.name}: no errors`);
    await it.run('seen.stalls = 0');
  }
  t.ok(server.traffic.chunked > 5, `${server.traffic.chunked} segments were sent while they were written`);

  stop();
  await stage.show.pause();
  await waitMs(3000);
  stop = stage.pushInRealTime(clip);
  const border = (Date.now() - begin()) / 1000;
  await Promise.all(watching.map(({ until }) => until(`video.currentTime > ${border + 4}`, 20_000)));
  for (const it of watching) {
    const found = await latencies(it, 8);
    t.comment(`${it.name}: after an outage ${round(found[4] ?? 0)} s, ${(await it.see()).stalls} stalls`);
    t.same((await it.see()).errors, [], `${it.name}: no errors over the outage`);
  }

  stop();
  t.ok(await stage.show.finish());
  await Promise.all(watching.map(({ until }) => until('seen.ended', 15_000)));
  for (const it of watching) t.same((await it.see()).errors, [], `${it.name}: no errors to the end`);
  t.comment(JSON.stringify(server.traffic));
  t.same(stage.faults, []);
});
