/** Protected media of a server as somebody reads it who has fetched the keys that the playlists name: for tests that look at pictures. */
import { createDecipheriv } from 'node:crypto';
import { readFragments } from '../../packager/cmaf/reader.ts';
import { openCbcs } from '../../packager/protect/cbcs-reader.ts';
import type { MillraceServer } from './server.ts';

export type KeyLine = { readonly address: string; readonly iv: Buffer };
/** A part or a segment of a media playlist, and the key that stands above it. */
export type Locked = { readonly name: string; readonly part: boolean; readonly msn: number; readonly key: KeyLine | null };
export type Scheme = 'aes-128' | 'cbcs';

export const keyOf = (line: string): KeyLine | null => {
  const found = /^#EXT-X-KEY:.*URI="([^"]+)".*IV=0x([0-9a-fA-F]{32})/.exec(line);
  return found ? { address: found[1] ?? '', iv: Buffer.from(found[2] ?? '', 'hex') } : null;
};

/** What a playlist lists, without its holes. */
export const lockedOf = (text: string): Locked[] => {
  const listed: Locked[] = [];
  let key: KeyLine | null = null;
  let gap = false;
  for (const line of text.split('\n')) {
    key = keyOf(line) ?? key;
    if (line === '#EXT-X-GAP') gap = true;
    const name = line.startsWith('#') ? (/^#EXT-X-PART:(?!.*GAP=YES).*URI="([^"]+)"/.exec(line)?.[1] ?? '') : line;
    const msn = Number(/-(\d+)[-.]/.exec(name)?.[1]);
    if (name !== '' && (line.startsWith('#') || !gap)) listed.push({ name, part: line.startsWith('#'), msn, key });
    if (line !== '' && !line.startsWith('#')) gap = false;
  }
  return listed;
};

export const samplesOf = (media: Buffer): Buffer[] => readFragments(media).flatMap((one) => one.samples.map(({ offset, size }) => media.subarray(offset, offset + size)));

const renamed = (bytes: Buffer, from: string, to: string): void => {
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 4)) bytes.write(to, at, 'latin1');
};

export class Keys {
  readonly #server: MillraceServer;
  readonly #folder: string;
  readonly #scheme: Scheme;
  readonly #fetched = new Map<string, Promise<Buffer>>();

  constructor(server: MillraceServer, video: string, scheme: Scheme) {
    this.#server = server;
    this.#folder = `${server.origin}/play/-/${video}/v0/`;
    this.#scheme = scheme;
  }

  #fetch(address: string): Promise<Buffer> {
    const known = this.#fetched.get(address) ?? this.#ask(address);
    this.#fetched.set(address, known);
    return known;
  }

  async #ask(address: string): Promise<Buffer> {
    const response = await fetch(new URL(address, this.#folder), { signal: AbortSignal.timeout(20_000) });
    if (response.status !== 200) throw new Error(`${this.#server.origin}: ${address}: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** A fragment, a segment of them, or (without a key) an init segment, such as a clear show has. */
  async open(bytes: Buffer, line: KeyLine | null): Promise<Buffer> {
    if (this.#scheme === 'aes-128') {
      if (!line) return bytes;
      const decipher = createDecipheriv('aes-128-cbc', await this.#fetch(line.address), line.iv);
      return Buffer.concat([decipher.update(bytes), decipher.final()]);
    }
    const clear = Buffer.from(bytes);
    if (!line) {
      renamed(clear, 'encv', 'avc1');
      renamed(clear, 'sinf', 'free');
      return clear;
    }
    const samples = openCbcs(bytes, await this.#fetch(line.address), line.iv);
    for (const [index, { offset }] of readFragments(bytes).flatMap((one) => one.samples).entries()) samples[index]?.copy(clear, offset);
    // What remains would make a decoder look for keys.
    for (const box of ['senc', 'saiz', 'saio']) renamed(clear, box, 'free');
    return clear;
  }
}
