/** A show with a ladder on a whole server, from its first picture to its end, and what is true of its rungs then. */
import { readRung, type Rung } from './ladder-truth.ts';
import { playlist, until } from './playlists.ts';
import { startServer, type Channel, type MillraceServer } from './server.ts';

type Seen = { readonly live: { readonly videoId: string } | null };
type Offered = { readonly items: readonly { readonly cores: number | null }[] };

/** A server that has looked at what encoding costs, and carries whatever is asked of it. */
export const ladderServer = async (): Promise<{ readonly server: MillraceServer; readonly token: string }> => {
  const server = await startServer({ env: { MILLRACE_ENCODE_CORES: '64', MILLRACE_LIVE_RECONNECT_WINDOW: '30s' } });
  const token = await server.login();
  await until(() => server.must<Offered>('GET', 'ladders', undefined, token), ({ items }) => items.every(({ cores }) => cores !== null), 60_000);
  return { server, token };
};

export const liveVideo = async (server: MillraceServer, channel: Channel): Promise<string> => {
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  if (!live) throw new Error('not live');
  return live.videoId;
};

/** Every track of pictures, the source first. */
export const pictureTracks = async (server: MillraceServer, video: string): Promise<string[]> => {
  const text = await (await fetch(`${server.origin}/play/-/${video}/master.m3u8`)).text();
  return [...text.matchAll(/^(v\d)\//gm)].map(([, track = '']) => track);
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

/** Rungs have all that the source has, so that the end takes nothing from them. */
export const level = (server: MillraceServer, video: string, tracks: readonly string[]): Promise<unknown> =>
  until(() => Promise.all(tracks.map((track) => playlist(server, video, track))), (lists) => lists.every(({ parts }) => parts.at(-1) === lists[0]?.parts.at(-1)));

export const recorded = async (server: MillraceServer, video: string): Promise<{ readonly source: Rung; readonly rungs: readonly Rung[] }> => {
  await until(() => playlist(server, video, 'v0'), ({ ended }) => ended, 30_000);
  const [source, ...rungs] = await Promise.all((await pictureTracks(server, video)).map((track) => readRung({ server, video, track })));
  if (!source) throw new Error('a show without pictures');
  return { source, rungs };
};
