/** Certificates for tests, made by openssl, and a client that believes them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';

export type TestCertificate = { readonly certificate: string; readonly key: string };

/** Good for localhost and for loopback; `name` is what a test knows it by. */
export const makeCertificate = (folder: string, name: string): TestCertificate => {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const who = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync('openssl', [...how, ...who, '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
  return files;
};

export type SecureAnswer = { readonly status: number; readonly headers: Record<string, string | string[] | undefined>; readonly text: string };
type Asked = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: unknown };

/** Speaks to a server whose certificate is one of these, and to no other. */
export class SecureClient {
  readonly ca: readonly Buffer[];
  readonly #agent: Agent;

  constructor(certificates: readonly TestCertificate[]) {
    this.ca = certificates.map(({ certificate }) => readFileSync(certificate));
    this.#agent = new Agent({ keepAlive: true, ca: [...this.ca] });
  }

  ask(url: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<SecureAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const sent = text === undefined ? headers : { ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
    return new Promise((resolve, reject) => {
      const asked = request(url, { agent: this.#agent, method, headers: sent, timeout: 20_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }));
      });
      asked.on('timeout', () => asked.destroy(new Error(`no answer within 20 s: ${url}`)));
      asked.on('error', reject);
      asked.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Whose certificate a new connection is shown. */
export const shownName = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { subject }: PeerCertificate = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(subject.CN));
    });
    socket.on('error', reject);
  });
