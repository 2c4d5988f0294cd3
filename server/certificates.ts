/**
 * The certificate store: what every TLS listener (HTTPS, RTMPS) takes its certificate from. Files that are
 * renewed in place are taken up without a restart; files that do not fit together are reported, and the
 * certificate that works stays.
 */
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../packager/clock.ts';
import type { ServerLog } from './log.ts';

export interface CertificateStore {
  /** For SNICallback and for new listeners; null: there is none (yet). */
  context(serverName?: string): SecureContext | null;
  onChange(listener: () => void): () => void;
  close(): void;
}

export type CertificateFiles = { readonly certificate: string; readonly key: string };

const LOOK_EVERY_MS = 60_000;

export class FileCertificates implements CertificateStore {
  readonly #files: CertificateFiles;
  readonly #clock: Clock;
  readonly #log: Pick<ServerLog, 'info' | 'error'>;
  readonly #listeners = new Set<() => void>();
  #context: SecureContext | null = null;
  #known = '';
  #refused = '';
  #cancel: () => void = () => undefined;

  private constructor(files: CertificateFiles, clock: Clock, log: Pick<ServerLog, 'info' | 'error'>) {
    this.#files = files;
    this.#clock = clock;
    this.#log = log;
  }

  /** Rejects when the files cannot be used now: at a start that is the operator's mistake. */
  static async open(files: CertificateFiles, clock: Clock, log: Pick<ServerLog, 'info' | 'error'>): Promise<FileCertificates> {
    const store = new FileCertificates(files, clock, log);
    await store.#load();
    store.#lookLater();
    return store;
  }

  context(): SecureContext | null {
    return this.#context;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#cancel();
  }

  /** Looks whether the files have changed. */
  async look(): Promise<void> {
    try {
      if (await this.#load()) this.#log.info({ certificate: this.#files.certificate }, 'A renewed certificate is in use.');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#refused) this.#log.error({ err: error }, 'The renewed certificate cannot be used; the one before stays.');
      this.#refused = why;
    }
  }

  async #load(): Promise<boolean> {
    const [cert, key] = await Promise.all([readFile(this.#files.certificate), readFile(this.#files.key)]);
    const seen = `${cert.toString('latin1')}\n${key.toString('latin1')}`;
    if (seen === this.#known) return false;
    this.#context = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
    this.#known = seen;
    this.#refused = '';
    for (const listener of this.#listeners) listener();
    return true;
  }

  #lookLater(): void {
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => void this.look().then(() => this.#lookLater()));
  }
}
