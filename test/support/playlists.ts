/** Fetches playlists of a server under test, and the facts in them that tests ask for. */
import { Parser } from 'm3u8-parser';
import type { MillraceServer } from './server.ts';

export type Playlist = {
  readonly status: number;
  readonly text: string;
  readonly ended: boolean;
  readonly mediaSequence: number;
  readonly segments: readonly { readonly uri: string; readonly duration: number; readonly discontinuity: boolean }[];
  readonly parts: readonly string[];
  readonly hint: string | null;
};

export const playlist = async (server: MillraceServer, video: string, track: string, query = ''): Promise<Playlist> => {
  const response = await fetch(`${server.origin}/play/-/${video}/${track}/index.m3u8${query}`, { signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  const parser = new Parser();
  parser.push(text);
  parser.end();
  const { manifest } = parser;
  const segments = (manifest.segments ?? []).filter(({ duration }) => duration !== undefined);
  return {
    status: response.status,
    text,
    ended: text.includes('#EXT-X-ENDLIST'),
    mediaSequence: manifest.mediaSequence ?? 0,
    segments: segments.map(({ uri = '', duration = 0, discontinuity = false }) => ({ uri, duration, discontinuity })),
    parts: [...text.matchAll(/#EXT-X-PART:.*URI="([^"]+)"/g)].map(([, uri = '']) => uri),
    hint: /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(text)?.[1] ?? null,
  };
};

export const media = async (server: MillraceServer, video: string, track: string, name: string): Promise<Buffer> => {
  const response = await fetch(`${server.origin}/play/-/${video}/${track}/${name}`, { signal: AbortSignal.timeout(30_000) });
  if (response.status !== 200) throw new Error(`${track}/${name}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
};

/** Asks again until the answer fits: for what the server does by itself soon. */
export const until = async <T>(ask: () => Promise<T>, fits: (answer: T) => boolean, withinMs = 20_000): Promise<T> => {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (performance.now() > giveUpAt) throw new Error(`still not so after ${withinMs} ms: ${JSON.stringify(answer).slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
};
