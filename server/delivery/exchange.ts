/** One request and its answer: every way in which delivery answers, each exactly once, each counted. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptsGzip, cacheControl, common, matchesEtag, preflight, type RawHeaders } from './headers.ts';
import type { MediaFile } from './media-files.ts';
import type { AddressOf } from '../web/client-address.ts';
import type { Asker, WhenOver } from './presentation.ts';
import type { Flow, Peers } from './peers.ts';
import type { Encoding, Ready } from './playlists.ts';
import { problemAnswer, problems, type Problem } from './problem.ts';
import { judgeRange, type RangeVerdict } from './range.ts';
import { whenOver } from './when-over.ts';

export type RequestKind =
  | ('multivariant' | 'manifest' | 'playlist' | 'keys' | 'part' | 'segment' | 'init' | 'key' | 'captions')
  | ('ts-multivariant' | 'ts-playlist' | 'ts-segment' | 'download' | 'media-key' | 'licence' | 'live-picture' | 'made-picture' | 'time' | 'other');

export type Tally = {
  readonly answered: (kind: RequestKind, status: number) => void;
  readonly sent: (bytes: number) => void;
};

/** `https://example.org`, by which the request came here. */
export type ReachedAt = (request: IncomingMessage) => string;

export type ExchangeGround = { readonly peers: Peers; readonly tally: Tally; readonly addressOf: AddressOf; readonly reachedAt: ReachedAt };

const nothing = Buffer.alloc(0);
const longestAgent = 400;
const lists: ReadonlySet<RequestKind> = new Set(['multivariant', 'manifest', 'playlist', 'keys', 'ts-multivariant', 'ts-playlist', 'live-picture', 'made-picture', 'time', 'other']);

export class Exchange implements Asker {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #peers: Peers;
  readonly #tally: Tally;
  readonly #addressOf: AddressOf;
  readonly #reachedAt: ReachedAt;
  kind: RequestKind = 'other';
  /** Under the grant `-`: a shared cache may keep the answer. */
  shared = false;
  maxHeight: number | null = null;
  mayDownload = false;
  #leave: (() => void) | null = null;
  #listening = false;

  constructor(request: IncomingMessage, response: ServerResponse, { peers, tally, addressOf, reachedAt }: ExchangeGround) {
    this.#request = request;
    this.#response = response;
    this.#peers = peers;
    this.#tally = tally;
    this.#addressOf = addressOf;
    this.#reachedAt = reachedAt;
  }

  get address(): string {
    return this.#addressOf(this.#request);
  }

  get wantsMedia(): boolean {
    return !lists.has(this.kind);
  }

  readonly onOver = (run: WhenOver): void => whenOver(this.#request, this.#response, run);

  readonly breakOff = (): void => void this.#response.destroy();

  get agent(): string {
    return (this.#request.headers['user-agent'] ?? '').slice(0, longestAgent);
  }

  get method(): string {
    return this.#request.method ?? '';
  }

  /** What addresses begin with that have to be written in full. */
  get base(): string {
    return this.#reachedAt(this.#request);
  }

  /** What the peer has sent; null: more than this, or he has left. The time that it may take is limited elsewhere. */
  async body(most: number): Promise<Buffer | null> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const piece of this.#request as AsyncIterable<Buffer>) {
        bytes += piece.length;
        // The rest is let through without being kept, so that the peer hears what was wrong.
        if (bytes <= most) pieces.push(piece);
      }
    } catch (error) {
      if (this.#request.destroyed) return null;
      throw error;
    }
    return bytes <= most ? Buffer.concat(pieces) : null;
  }

  /** Nobody is there any more, or the answer has been given. */
  get over(): boolean {
    return this.#response.destroyed || this.#response.headersSent;
  }

  header(name: 'range' | 'if-range' | 'if-none-match'): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** What to do when the peer leaves while the answer waits for something. It waits for one thing at a time. */
  whileWaiting(leave: (() => void) | null): void {
    this.#leave = leave;
    if (this.#listening || leave === null) return;
    this.#listening = true;
    this.#response.once('close', () => this.#leave?.());
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

  playlist(ready: Ready, encoding: Encoding, body: Buffer, keep: string): void {
    if (matchesEtag(this.#request.headers['if-none-match'], ready.etag(encoding))) {
      this.#answer(304, [...common, ...ready.validators(encoding, keep)], nothing, nothing);
      return;
    }
    this.#answer(200, ready.headers(encoding, keep, body.length), body, body);
  }

  text(body: Buffer, headers: RawHeaders): void {
    this.#answer(200, headers, body, body);
  }

  /** True: the peer has it already, and has been told so. */
  unchanged(etag: string, keep: string): boolean {
    if (!matchesEtag(this.header('if-none-match'), etag)) return false;
    this.#answer(304, [...common, 'ETag', etag, 'Cache-Control', keep], nothing, nothing);
    return true;
  }

  /** Which bytes are asked for; null: none that there are, and the peer has been told so. */
  range(etag: string, length: number): Exclude<RangeVerdict, { kind: 'unsatisfiable' }> | null {
    // RFC 9110, 13.1.5: the range is of what the client has, or it is not meant.
    const ifRange = this.header('if-range');
    const meant = (ifRange === undefined || ifRange === etag) && this.method === 'GET';
    const range = judgeRange(meant ? this.header('range') : undefined, length);
    if (range.kind !== 'unsatisfiable') return range;
    const detail = `The file has ${length} bytes.`;
    this.problem({ status: 416, code: 'range', detail, headers: ['Content-Range', `bytes */${length}`] });
    return null;
  }

  /** Only the head now; the body comes through the flow. Null: that was all, or nobody is there. */
  stream(status: number, headers: RawHeaders): Flow | null {
    if (this.over) return null;
    this.#tally.answered(this.kind, status);
    this.#response.writeHead(status, headers);
    if (this.method !== 'HEAD') return this.#peers.flow(this.#response, this.#tally.sent);
    this.#response.end();
    return null;
  }

  media(file: MediaFile): void {
    const { body, etag } = file;
    if (this.unchanged(etag, cacheControl.media(this.shared))) return;
    const range = this.range(etag, body.length);
    if (range?.kind === 'whole') {
      this.#answer(200, this.shared ? file.shared : file.own, body, body);
    } else if (range) {
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
    this.#tally.answered(this.kind, status);
    if (withBody) this.#tally.sent(body.length);
    this.#response.writeHead(status, headers);
    if (withBody) this.#peers.send(this.#response, body, whole);
    else this.#response.end();
  }
}
