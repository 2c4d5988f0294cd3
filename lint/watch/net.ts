/**
 * Asks over HTTP and keeps what came, as it came. `fetch` of Node would decode behind our back and hide lengths; here
 * they are what is judged. Bodies, redirects, headers and waiting have limits, and every failure is an answer.
 */
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { Answer, Ask, Fetch, Time, Trouble } from './answer.ts';

const mostRedirects = 5;
const nothing = Buffer.alloc(0);

const decoders = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) } as const;

type Raw = Omit<Answer, 'url' | 'askedAt'>;

export type Net = { readonly fetch: Fetch; close(): void };

export const openNet = (time: Time): Net => {
  const agents = { plain: new PlainAgent({ keepAlive: true, maxSockets: 64 }), tls: new TlsAgent({ keepAlive: true, maxSockets: 64 }) };
  const failed = (trouble: Trouble): Raw => ({ status: 0, headers: new Map(), body: nothing, wire: 0, chunked: false, beganAt: time.now(), endedAt: time.now(), trouble });

  const once = (url: string, { timeoutMs, limit, signal }: Ask): Promise<Raw> =>
    new Promise((resolve) => {
      const tls = url.startsWith('https:');
      const send = tls ? tlsRequest : plainRequest;
      const fail = (rule: Trouble['rule'], says: string): void => {
        clearTimeout(timer);
        request.destroy();
        resolve(failed({ rule, says }));
      };
      const timer = setTimeout(() => fail('http/unreachable', `no whole answer within ${Math.round(timeoutMs / 1000)} s`), timeoutMs);
      const request = send(url, { agent: tls ? agents.tls : agents.plain, headers: { 'Accept-Encoding': 'gzip', Accept: '*/*' }, maxHeaderSize: 32_768, ...(signal ? { signal } : {}) }, (response) => {
        const beganAt = time.now();
        const pieces: Buffer[] = [];
        let wire = 0;
        response.on('data', (piece: Buffer) => {
          wire += piece.length;
          if (wire > limit) fail('http/too-large', `more than ${limit} bytes`);
          else pieces.push(piece);
        });
        response.on('error', (error) => fail('http/unreachable', error.message));
        response.on('end', () => {
          clearTimeout(timer);
          void decoded(response, Buffer.concat(pieces), limit).then(({ body, trouble }) =>
            resolve({ status: response.statusCode ?? 0, headers: headersOf(response), body, wire, chunked: /\bchunked\b/.test(response.headers['transfer-encoding'] ?? ''), beganAt, endedAt: time.now(), trouble }),
          );
        });
      });
      request.on('error', (error) => fail('http/unreachable', error.message));
      request.end();
    });

  const fetch: Fetch = async (url, ask) => {
    const askedAt = time.now();
    let at = url;
    for (let hop = 0; ; hop += 1) {
      if (!URL.canParse(at) || !/^https?:$/.test(new URL(at).protocol)) return { url, askedAt, ...failed({ rule: 'http/unreachable', says: `not an address of HTTP: ${at.slice(0, 200)}` }) };
      const raw = await once(at, ask);
      const target = raw.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(raw.status) || target === undefined) return { url: at, askedAt, ...raw };
      if (hop === mostRedirects) return { url: at, askedAt, ...failed({ rule: 'http/unreachable', says: `more than ${mostRedirects} redirections` }) };
      at = URL.canParse(target, at) ? new URL(target, at).href : target;
    }
  };
  const close = (): void => {
    agents.plain.destroy();
    agents.tls.destroy();
  };
  return { fetch, close };
};

const headersOf = (response: IncomingMessage): Map<string, string> =>
  new Map(Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));

const decoded = async (response: IncomingMessage, wire: Buffer, limit: number): Promise<{ body: Buffer; trouble: Trouble | null }> => {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '' || wire.length === 0) return { body: wire, trouble: null };
  const decode = Object.entries(decoders).find(([name]) => name === encoding)?.[1];
  if (!decode) return { body: nothing, trouble: { rule: 'http/encoding', says: `Content-Encoding is "${encoding.slice(0, 40)}", which was not asked for` } };
  try {
    return { body: await decode(wire, { maxOutputLength: limit }), trouble: null };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return { body: nothing, trouble: { rule: 'http/encoding', says: `the body is no ${encoding}: ${says}` } };
  }
};

export const systemTime: Time = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
    }),
};
