/** One request and its answer: every way in which delivery answers, each exactly once, each counted. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptsGzip, cacheControl, common, matchesEtag, preflight, type RawHeaders } from './headers.ts';
import type { MediaFile } from './media-files.ts';
import type { Peers } from './peers.ts';
import type { Encoding, ReadyPlaylist } from './playlists.ts';
import { problemAnswer, problems, type Problem } from './problem.ts';
import { judgeRange } from './range.ts';

export type RequestKind = 'multivariant' | 'playlist' | 'part' | 'segment' | 'init' | 'key' | 'captions' | 'other';

export type Tally = (kind: RequestKind, status: number, bytes: number) => void;

const nothing = Buffer.alloc(0);

export class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #peers: Peers;
  readonly #tally: Tally;
  kind: RequestKind = 'other';
  /** Under the grant `-`: a shared cache may keep the answer. */
  shared = false;
  maxHeight: number | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, peers: Peers, tally: Tally) {
    this.#request = request;
    this.#response = response;
    this.#peers = peers;
    this.#tally = tally;
  }

  get method(): string {
    return this.#request.method ?? '';
  }

  /** Nobody is there any more, or the answer has been given. */
  get over(): boolean {
    return this.#response.destroyed || this.#response.headersSent;
  }

  onClose(run: () => void): void {
    this.#response.once('close', run);
  }

  preflight(): void {
    this.#answer(204, preflight, nothing, nothing);
  }

  problem(problem: Problem): void {
    const { headers, body } = problemAnswer(problem);
    this.#answer(problem.status, headers, body, body);
  }

  /** Something broke on our side. When the answer is already on its way there is only one way to say so. */
  broken(): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.problem(problems.internal);
  }

  get encoding(): Encoding {
    return acceptsGzip(this.#request.headers['accept-encoding']) ? 'gzip' : 'identity';
  }

  playlist(ready: ReadyPlaylist, encoding: Encoding, body: Buffer, keep: string): void {
    if (matchesEtag(this.#request.headers['if-none-match'], ready.etag(encoding))) {
      this.#answer(304, [...common, ...ready.validators(encoding, keep)], nothing, nothing);
      return;
    }
    this.#answer(200, ready.headers(encoding, keep, body.length), body, body);
  }

  media(file: MediaFile): void {
    const { headers } = this.#request;
    const { body, etag } = file;
    if (matchesEtag(headers['if-none-match'], etag)) {
      this.#answer(304, [...common, 'ETag', etag, 'Cache-Control', cacheControl.media(this.shared)], nothing, nothing);
      return;
    }
    // RFC 9110, 13.1.5: the range is of what the client has, or it is not meant.
    const meant = headers['if-range'] === undefined || headers['if-range'] === etag;
    const range = judgeRange(meant && this.method === 'GET' ? headers.range : undefined, body.length);
    if (range.kind === 'whole') {
      this.#answer(200, this.shared ? file.shared : file.own, body, body);
    } else if (range.kind === 'unsatisfiable') {
      const detail = `The file has ${body.length} bytes.`;
      this.problem({ status: 416, code: 'range', detail, headers: ['Content-Range', `bytes */${body.length}`] });
    } else {
      const { from, to } = range;
      const head: RawHeaders = [
        ...common,
        'Content-Type',
        file.type,
        'Content-Length',
        String(to - from),
        'Content-Range',
        `bytes ${from}-${to - 1}/${body.length}`,
        'ETag',
        etag,
        'Cache-Control',
        cacheControl.media(this.shared),
      ];
      this.#answer(206, head, body.subarray(from, to), body);
    }
  }

  /** `whole` is the buffer that the body is (a part of): what stays in memory until it has been sent. */
  #answer(status: number, headers: RawHeaders, body: Buffer, whole: Buffer): void {
    if (this.over) return;
    const withBody = this.method !== 'HEAD' && body.length > 0;
    this.#tally(this.kind, status, withBody ? body.length : 0);
    this.#response.writeHead(status, headers);
    if (withBody) this.#peers.send(this.#response, body, whole);
    else this.#response.end();
  }
}
