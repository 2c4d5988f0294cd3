/** A show with a ladder on a whole server, from its first picture to its end, and what is true of its rungs then. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRung, type Area, type Rung } from './ladder-truth.ts';
import { playlist, until } from './playlists.ts';
import type { FlvClip } from './flv.ts';
import { startServer, type Channel, type MillraceServer } from './server.ts';
import { ShowSender } from './show-sender.ts';

/** Holes of recordings are not filled: nobody encodes chunks. */
export const asLiveMade = { MILLRACE_ENCODE_JOBS: '0' } as const;

type Seen = { readonly live: { readonly videoId: string } | null };
type Offered = { readonly items: readonly { readonly cores: number | null }[] };

/** Cheap, so that what is looked at is the pictures and not the machine. */
const ladders = {
  cheap: [
    '{ height: 360, bitrate: 400k, preset: ultrafast }',
    '{ height: 240, bitrate: 250k, preset: ultrafast }',
    '{ height: 144, bitrate: 150k, preset: ultrafast }',
  ],
  low: ['{ height: 240, bitrate: 250k, preset: ultrafast }'],
  capped: ['{ height: 240, bitrate: 250k, preset: ultrafast, fps: 30 }'],
} as const;

/** A server that has looked at what encoding costs, and carries whatever is asked of it. */
export const ladderServer = async (): Promise<{ readonly server: MillraceServer; readonly token: string; stop(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-ladders-'));
  for (const [name, rungs] of Object.entries(ladders)) await writeFile(join(folder, `${name}.yaml`), `rungs:\n${rungs.map((rung) => `  - ${rung}\n`).join('')}`);
  const server = await startServer({ env: { MILLRACE_ENCODE_CORES: '64', MILLRACE_ENCODE_LADDERS: folder, MILLRACE_LIVE_RECONNECT_WINDOW: '30s', ...asLiveMade } });
  const token = await server.login();
  await until(() => server.must<Offered>('GET', 'ladders', undefined, token), ({ items }) => items.every(({ cores }) => cores !== null), 100_000);
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true });
  };
  return { server, token, stop };
};

export const liveVideo = async (server: MillraceServer, channel: Channel): Promise<string> => {
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  if (!live) throw new Error('not live');
  return live.videoId;
};

/** Every track of pictures, the source first. */
export const pictureTracks = async (server: MillraceServer, video: string): Promise<string[]> => {
  const text = await (await fetch(`${server.origin}/play/-/${video}/master.m3u8`)).text();
  // Each is listed once for every sound.
  return [...new Set([...text.matchAll(/^(v\d)\//gm)].map(([, track = '']) => track))].toSorted();
};

/** The lines of parts, which leave a playlist soon: looked at again and again while the show is on. */
export class PartWatch {
  /** By track, and by the name of the part. */
  readonly seen = new Map<string, Map<string, string>>();
  #on = true;
  readonly #done: Promise<unknown>;

  constructor(server: MillraceServer, video: string, tracks: readonly string[]) {
    this.#done = Promise.all(tracks.map((track) => this.#watch(server, video, track)));
  }

  async #watch(server: MillraceServer, video: string, track: string): Promise<void> {
    const parts = new Map<string, string>();
    this.seen.set(track, parts);
    let last = false;
    do {
      last = !this.#on;
      const { text } = await playlist(server, video, track);
      for (const [line, name = ''] of text.matchAll(/^#EXT-X-PART:.*URI="([^"]+)".*$/gm)) parts.set(name, line);
      if (!last) await new Promise((resolve) => setTimeout(resolve, 700));
    } while (!last);
  }

  /** When the show is over. */
  async stop(): Promise<void> {
    this.#on = false;
    await this.#done;
  }

  /** What is not as it is in the source. */
  faults(track: string): string[] {
    const [own, theirs] = [this.seen.get('v0'), this.seen.get(track)];
    if (!own || !theirs || own.size < 6) return ['too few parts were seen'];
    return [...own].flatMap(([name, line]) => (theirs.get(name) === line ? [] : [`${theirs.get(name)} where the source has ${line}`])).slice(0, 10);
  }
}

/** Waits until rungs have what the source has, but for what an encoder holds back. */
const level = (server: MillraceServer, video: string, tracks: readonly string[]): Promise<unknown> =>
  until(
    () => Promise.all(tracks.map((track) => playlist(server, video, track))),
    (lists) => {
      const [own = 0, ...theirs] = lists.map(({ text, segments }) => segments.reduce((sum, { duration }) => sum + duration, 0) + openSeconds(text));
      return theirs.every((seconds) => seconds > own - 0.75);
    },
  );

/** Of the segment that is not complete. */
const openSeconds = (text: string): number => {
  const open = text.slice(text.lastIndexOf('\n#EXTINF'));
  return [...open.matchAll(/#EXT-X-PART:DURATION=([\d.]+)/g)].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
};

/**
 * Clips one after the other, faster than they play, but no faster than they are encoded; the show has ended then. What is told
 * of it at its beginning, and its video.
 */
export const sendPaced = async (server: MillraceServer, channel: Channel, clips: readonly FlvClip[]): Promise<{ master: string; video: string }> => {
  const [first, ...others] = clips;
  if (!first) throw new Error('nothing to send');
  const sender = await ShowSender.connect(server, channel, first);
  try {
    await sender.send({ until: 3_000 });
    const master = await (await fetch(await server.live(channel))).text();
    const video = await liveVideo(server, channel);
    const tracks = await pictureTracks(server, video);
    for (const [index, clip] of [first, ...others].entries()) {
      const shift = index * 8_000;
      if (index > 0) await sender.change(clip, { until: 3_000, shift });
      for (let from = 3_000; from < 8_000; from += 1_000) {
        await sender.send({ from, until: from + 1_000, shift });
        await level(server, video, tracks);
      }
    }
    await sender.end();
    return { master, video };
  } finally {
    sender.vanish();
  }
};

/** What the encoders of ladders had, on a machine that does too much for them. */
export const troubles = (server: MillraceServer): string[] => server.log.split('\n').filter((line) => line.includes('The encoder of a ladder had trouble'));

/** `areas`: of the epochs, where the picture lies in those of the rungs. */
export const recorded = async (server: MillraceServer, video: string, areas: readonly Area[] = []): Promise<{ readonly source: Rung; readonly rungs: readonly Rung[] }> => {
  await until(() => playlist(server, video, 'v0'), ({ ended }) => ended, 30_000);
  const [source, ...rungs] = await Promise.all((await pictureTracks(server, video)).map((track) => readRung({ server, video, track }, track === 'v0' ? [] : areas)));
  if (!source) throw new Error('a show without pictures');
  return { source, rungs };
};
