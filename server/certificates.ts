/**
 * The certificate store: what every TLS listener (HTTPS, RTMPS) takes its certificate from. Files that are
 * renewed in place are taken up without a restart; files that do not fit together are reported, and the
 * certificate that works stays.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../packager/clock.ts';
import type { ServerLog } from './log.ts';

/** What is in use, as a listener takes it, and what whoever watches the server wants to know of it. */
export type Certificate = {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Names and addresses that it is good for. */
  readonly names: readonly string[];
  /** ms since 1970. */
  readonly validTo: number;
};

export interface CertificateStore {
  readonly current: Certificate;
  /** Why what lies in the files now cannot be used; null: it is in use. */
  readonly refused: string | null;
  onChange(listener: (certificate: Certificate) => void): () => void;
  close(): void;
}

export type CertificateFiles = { readonly certificate: string; readonly key: string };

/** Files that cannot be used, in words for whoever wrote them into the configuration. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

type Log = Pick<ServerLog, 'info' | 'warn' | 'error'>;
type Options = { readonly files: CertificateFiles; readonly lookEveryMs: number; readonly clock: Clock; readonly log: Log };

const soonMs = 14 * 86_400_000;

export class FileCertificates implements CertificateStore {
  readonly #o: Options;
  readonly #listeners = new Set<(certificate: Certificate) => void>();
  #current: Certificate;
  #refused: string | null = null;
  #warnedOf: Certificate | null = null;
  #cancel: () => void = () => undefined;
  #closed = false;

  private constructor(options: Options, first: Certificate) {
    this.#o = options;
    this.#current = first;
  }

  /** Rejects with a CertificateError when the files cannot be used now: at a start that is the operator's mistake. */
  static async open(options: Options): Promise<FileCertificates> {
    const store = new FileCertificates(options, await read(options.files));
    store.#warnOfItsEnd();
    store.#lookLater();
    return store;
  }

  get current(): Certificate {
    return this.#current;
  }

  get refused(): string | null {
    return this.#refused;
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Looks whether the files have changed. */
  async look(): Promise<void> {
    const { files, log } = this.#o;
    try {
      const found = await read(files);
      this.#refused = null;
      if (found.cert.equals(this.#current.cert) && found.key.equals(this.#current.key)) return;
      this.#current = found;
      for (const listener of this.#listeners) listener(found);
      log.info({ certificate: files.certificate, names: found.names, validTo: dayOf(found) }, 'A renewed certificate is in use.');
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      if (error.message !== this.#refused) log.error({ err: error }, 'The renewed certificate cannot be used; the one before stays.');
      this.#refused = error.message;
    } finally {
      this.#warnOfItsEnd();
    }
  }

  /** Said once of each certificate: whoever renews by hand has two weeks, and an old one is no reason to stand still. */
  #warnOfItsEnd(): void {
    const { clock, log } = this.#o;
    const left = this.#current.validTo - clock.wall();
    if (left > soonMs || this.#warnedOf === this.#current) return;
    this.#warnedOf = this.#current;
    log.warn({ validTo: dayOf(this.#current) }, left > 0 ? 'The certificate ends soon.' : 'The certificate has ended: browsers and encoders refuse it.');
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#cancel = this.#o.clock.after(this.#o.lookEveryMs, () => void this.look().finally(() => this.#lookLater()));
  }
}

const dayOf = ({ validTo }: Certificate): string => new Date(validTo).toISOString();

/** For whoever watches the server: not where the files are. */
export const tlsFacts = ({ current, refused }: CertificateStore): object => ({ names: current.names, validTo: dayOf(current), renewal: refused === null ? 'ok' : 'refused' });

const read = async (files: CertificateFiles): Promise<Certificate> => {
  const [cert, key] = await Promise.all([readOne('tls.certificate', files.certificate), readOne('tls.key', files.key)]);
  const leaf = attempt(() => new X509Certificate(cert), `tls.certificate: ${files.certificate} holds no certificate in PEM`);
  const secret = attempt<KeyObject>(() => createPrivateKey(key), `tls.key: ${files.key} holds no private key in PEM, or one that is protected by a passphrase`);
  if (!leaf.checkPrivateKey(secret)) throw new CertificateError(`tls.key: ${files.key} is not the key of the first certificate in ${files.certificate}`);
  // What a listener would refuse later, such as a broken certificate further down the chain.
  attempt(() => createSecureContext({ cert, key }), `tls.certificate: ${files.certificate} cannot be used`);
  return { cert, key, names: namesOf(leaf), validTo: leaf.validToDate.getTime() };
};

const readOne = async (setting: string, path: string): Promise<Buffer> => {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CertificateError(`${setting}: ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
};

const attempt = <T>(run: () => T, words: string): T => {
  try {
    return run();
  } catch (cause) {
    throw new CertificateError(`${words} (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
};

const namesOf = ({ subjectAltName, subject }: X509Certificate): string[] => {
  const listed = [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^\s,"]+)/g)].map(([, name]) => name ?? '');
  const common = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  return listed.length > 0 ? listed : common === undefined ? [] : [common];
};
