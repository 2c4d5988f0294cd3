/**
 * The file of an import, written from its beginning to its end. What of it has been brought to the platter, and what the
 * file was known by where it comes from, stands beside it: a restart goes on from there.
 */
import { constants } from 'node:fs';
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Landed } from '../../ingest/upload/desk.ts';

/** What the source says of the file: it must still say so when more of it is fetched. */
export type SourceFacts = {
  /** null: it does not say. */
  readonly size: number | null;
  readonly validator: string | null;
};
type Note = SourceFacts & { readonly bytes: number };

const noteEvery = 64 * 2 ** 20;
const nothing: Note = { bytes: 0, size: null, validator: null };

export class ImportFile implements Landed {
  readonly #path: string;
  readonly #handle: FileHandle;
  #facts: SourceFacts;
  #bytes: number;
  #noted: number;

  private constructor(path: string, handle: FileHandle, note: Note) {
    this.#path = path;
    this.#handle = handle;
    this.#facts = note;
    this.#bytes = note.bytes;
    this.#noted = note.bytes;
  }

  /** As it was left; what may not have reached the platter is taken off. */
  static async open(path: string): Promise<ImportFile> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
    try {
      const note = parsed(await readFile(notePath(path), 'utf8').catch(() => ''));
      const kept = (await handle.stat()).size < note.bytes ? nothing : note;
      await handle.truncate(kept.bytes);
      return new ImportFile(path, handle, kept);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }
  get facts(): SourceFacts {
    return this.#facts;
  }
  has(_from: number, to: number): boolean {
    return to <= this.#bytes;
  }

  /** From the beginning, or for the first time: this is the file that comes now. */
  async begin(facts: SourceFacts): Promise<void> {
    await this.#handle.truncate(0);
    this.#bytes = 0;
    this.#facts = facts;
    await this.#note();
  }

  async write(data: Buffer): Promise<void> {
    for (let written = 0; written < data.length; ) {
      const { bytesWritten } = await this.#handle.write(data, written, data.length - written, this.#bytes + written);
      if (bytesWritten === 0) throw Object.assign(new Error('the disk took nothing'), { code: 'ENOSPC' });
      written += bytesWritten;
    }
    this.#bytes += data.length;
    if (this.#bytes - this.#noted >= noteEvery) await this.#note();
  }

  /** All of it is there, on the platter, and known to be all. */
  async finish(): Promise<void> {
    this.#facts = { ...this.#facts, size: this.#bytes };
    await this.#note();
    await syncFolder(dirname(this.#path));
    await this.#handle.close();
  }

  /** It goes on later. */
  async close(): Promise<void> {
    try {
      await this.#note();
    } finally {
      await this.#handle.close();
    }
  }

  async #note(): Promise<void> {
    const bytes = this.#bytes;
    await this.#handle.datasync();
    const path = notePath(this.#path);
    const note = await open(`${path}.new`, 'w', 0o640);
    try {
      await note.writeFile(JSON.stringify({ ...this.#facts, bytes } satisfies Note));
      await note.datasync();
    } finally {
      await note.close();
    }
    await rename(`${path}.new`, path);
    this.#noted = bytes;
  }
}

/** Beside the file. */
const notePath = (path: string): string => `${path}.import`;

/** What is of no use when the file is whole, or given up. */
export const importLitter = (path: string): readonly string[] => [notePath(path), `${notePath(path)}.new`];

const parsed = (text: string): Note => {
  try {
    const { bytes, size, validator } = JSON.parse(text) as Record<string, unknown>;
    const whole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
    if (whole(bytes) && (size === null || whole(size)) && (validator === null || typeof validator === 'string')) return { bytes, size, validator };
  } catch {
    // Torn: as if there were none.
  }
  return nothing;
};

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync().finally(() => handle.close());
};
