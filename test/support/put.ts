/** A PUT that tells how far its body is, as XMLHttpRequest does in browsers. */
import { request } from 'node:http';

export type PutAnswer = { readonly status: number; readonly retryAfter: string | null; readonly body: unknown };
export type Put = { readonly url: string; readonly body: ArrayBuffer; readonly digest: string; progress(bytes: number): void };

const step = 65_536;

/** Status 0: nothing came back. */
export const put = ({ url, body, digest, progress }: Put, signal: AbortSignal): Promise<PutAnswer> =>
  new Promise((resolve) => {
    const nothing = (): void => resolve({ status: 0, retryAfter: null, body: null });
    const headers = { 'content-digest': digest, 'content-length': body.byteLength };
    const outgoing = request(url, { method: 'PUT', headers, agent: false, signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', nothing);
      answer.on('close', nothing);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const json = /json/.test(answer.headers['content-type'] ?? '') && text !== '';
        resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] ?? null, body: json ? JSON.parse(text) : null });
      });
    });
    outgoing.on('error', nothing);
    const send = (from: number): void => {
      if (from >= body.byteLength) return void outgoing.end();
      const to = Math.min(body.byteLength, from + step);
      outgoing.write(Buffer.from(body, from, to - from), (error) => {
        if (error) return nothing();
        progress(to);
        send(to);
      });
    };
    send(0);
  });
