/** A player's side of blocking playlist reload (RFC 8216bis 6.2.5.2), as little as a measurement needs. */
import { Agent, get } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

export type Fetched = { readonly status: number; readonly text: string; readonly answeredAt: number };

/** `answeredAt` is `performance.now()` at the last byte of the answer. */
export const fetchText = (url: string): Promise<Fetched> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: 20_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), answeredAt: performance.now() }),
      );
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within 20 s: ${url}`)));
    request.on('error', reject);
  });

/** The first media playlist that a multivariant playlist names. */
export const firstMediaPlaylist = (master: string, url: string): string => {
  const uri = master.split('\n').find((line) => line !== '' && !line.startsWith('#'));
  if (uri === undefined) throw new Error(`no media playlist in ${url}:\n${master}`);
  return new URL(uri.trim(), url).href;
};

/** The part that a playlist does not have yet. */
export const nextPart = (playlist: string): { msn: number; part: number } => {
  let msn = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(playlist)?.[1] ?? 0);
  let part = 0;
  for (const line of playlist.split('\n')) {
    if (line.startsWith('#EXTINF:')) {
      msn += 1;
      part = 0;
    } else if (line.startsWith('#EXT-X-PART:')) {
      part += 1;
    }
  }
  const skipped = /^#EXT-X-SKIP:.*SKIPPED-SEGMENTS=(\d+)/m.exec(playlist)?.[1];
  return { msn: msn + Number(skipped ?? 0), part };
};
