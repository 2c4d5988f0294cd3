/**
 * The web app: its built files, held in memory with their gzipped twins. Every page address gets the same
 * document; what no page answers gets it with a 404, so that the app can say so.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Problem, problemType } from '../api/kit/problem.ts';

type WebFile = { readonly type: string; readonly etag: string; readonly plain: Buffer; readonly gzip: Buffer | null; readonly immutable: boolean };

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

const EMBED = /^\/embed\/[a-z0-9]{8,32}$/;
const PAGES = [/^\/$/, /^\/@[a-z0-9_-]{1,40}$/, /^\/watch\/[a-z0-9]{8,32}$/, EMBED, /^\/(?:login|setup)$/, /^\/(?:studio|admin)(?:\/|$)/];

/** hls.js makes a worker and feeds the video from blobs; styles are set by script for progress and volume. */
const policy = (path: string): string =>
  [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    // A caption track of hls.js begins as an empty data: file.
    "media-src 'self' blob: data:",
    "worker-src 'self' blob:",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    // Only what is made to be embedded may be framed.
    EMBED.test(path) ? 'frame-ancestors *' : "frame-ancestors 'none'",
  ].join('; ');

export class WebPages {
  readonly #files: ReadonlyMap<string, WebFile>;

  /** Null: the web app has not been built. */
  static load(folder: string): WebPages | null {
    try {
      const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const files = new Map(names.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        const url = `/${path.slice(folder.length).replace(/^\/+/, '')}`;
        return [url, webFile(url, readFileSync(path))];
      }));
      return files.has('/index.html') ? new WebPages(files) : null;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  private constructor(files: ReadonlyMap<string, WebFile>) {
    this.#files = files;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(response, new Problem('method-not-allowed', `${request.method ?? ''} does nothing here; GET, HEAD would.`, { allow: ['GET', 'HEAD'] }));
    }
    const asset = this.#files.get(path);
    if (asset && path !== '/index.html') return send(request, response, 200, asset, path);
    const page = this.#files.get('/index.html');
    if (page) send(request, response, PAGES.some((pattern) => pattern.test(path)) ? 200 : 404, page, path);
  }
}

const webFile = (url: string, plain: Buffer): WebFile => {
  const squeezed = plain.length > 1024 ? gzipSync(plain, { level: 9 }) : null;
  return {
    type: TYPES[extname(url)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    plain,
    gzip: squeezed && squeezed.length < plain.length * 0.9 ? squeezed : null,
    immutable: url.startsWith('/assets/'), // the build puts a hash of the content into these names
  };
};

const refuse = (response: ServerResponse, { status, headers, document }: Problem): void => {
  const body = JSON.stringify(document);
  response.writeHead(status, { ...headers, 'content-type': problemType, 'referrer-policy': 'no-referrer', 'content-length': Buffer.byteLength(body) }).end(body);
};

const send = (request: IncomingMessage, response: ServerResponse, status: number, file: WebFile, path: string): void => {
  const packed = file.gzip && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '') ? file.gzip : null;
  const headers: Record<string, string | number> = {
    'content-type': file.type,
    etag: file.etag,
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
    // Addresses here may name what only some may see.
    'referrer-policy': 'no-referrer',
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  if (file.type.startsWith('text/html')) headers['content-security-policy'] = policy(path);
  if (status === 200 && request.headers['if-none-match'] === file.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const body = packed ?? file.plain;
  if (packed) headers['content-encoding'] = 'gzip';
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
};
