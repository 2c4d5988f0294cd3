/** Bodies that are files: which routes take them, and how many lie in memory at the same time. */
import type { ServerResponse } from 'node:http';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';

/** 10 MB each. */
const mostAtOnce = 8;

export class FilesAtOnce {
  #now = 0;

  /** Until the answer has gone, or whoever asked has. */
  enter(response: Pick<ServerResponse, 'once' | 'destroyed'>): void {
    // He went while it was looked up whether he may: nobody would say when his place is free again.
    if (response.destroyed) return;
    if (this.#now >= mostAtOnce) throw new Problem('busy', 'The server has too many files to look at right now. Try again in a moment.', { retryAfterMs: 2_000 });
    this.#now += 1;
    response.once('close', () => {
      this.#now -= 1;
    });
  }
}

const typeOf = (header: string | undefined): string => (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/** Before a byte of it is read. A route that takes JSON takes no picture, although this server reads some. */
export const mustSendFile = (header: string | undefined, { bytes }: Pick<Route, 'bytes'>): void => {
  const type = typeOf(header);
  if (bytes && !bytes.includes(type)) throw new Problem('not-a-picture', `Send a file as it is, and its type as Content-Type: ${bytes.join(', ')}.`);
  if (!bytes && type.startsWith('image/')) throw new Problem('not-json', 'Send the body as JSON, with `Content-Type: application/json`.');
};
