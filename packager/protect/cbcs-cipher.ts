/**
 * AES-128-CBC as `cbcs` wants it (ISO 23001-7, 10.4): every protected range begins with the constant IV again. One cipher
 * does all of them, since to begin anew is to add to the first block what the chain would add, and the IV.
 */
import { createCipheriv, type Cipheriv } from 'node:crypto';

const block = 16;
/** One block of ten is encrypted, nine are left: pattern 1:9. */
const stride = 10 * block;

export class CbcsCipher {
  readonly #cipher: Cipheriv;
  readonly #iv: Buffer;
  /** The last block that came out: what the next one would be chained to. */
  #last: Buffer;
  #blocks = Buffer.alloc(16 * 1024);

  constructor(key: Buffer, iv: Buffer) {
    this.#iv = Buffer.from(iv);
    this.#last = this.#iv;
    this.#cipher = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
  }

  /** A block of ten, in place: the protected bytes of a picture. What is left of less than a block stays clear. */
  pattern(bytes: Buffer, from: number, to: number): void {
    const count = Math.floor((to - from - block) / stride) + 1;
    if (count <= 0) return;
    const blocks = this.#room(count * block);
    for (let at = from, into = 0; into < blocks.length; at += stride, into += block) bytes.copy(blocks, into, at, at + block);
    const done = this.#run(blocks);
    for (let at = from, out = 0; out < done.length; at += stride, out += block) done.copy(bytes, at, out, out + block);
  }

  /** Every whole block, in place: a frame of sound. */
  whole(bytes: Buffer, from: number, to: number): void {
    const size = Math.floor((to - from) / block) * block;
    if (size === 0) return;
    const blocks = this.#room(size);
    bytes.copy(blocks, 0, from, from + size);
    this.#run(blocks).copy(bytes, from);
  }

  #room(size: number): Buffer {
    if (size > this.#blocks.length) this.#blocks = Buffer.alloc(2 * size);
    return this.#blocks.subarray(0, size);
  }

  #run(blocks: Buffer): Buffer {
    for (let at = 0; at < block; at += 1) blocks[at] = (blocks[at] ?? 0) ^ (this.#last[at] ?? 0) ^ (this.#iv[at] ?? 0);
    const done = this.#cipher.update(blocks);
    this.#last = done.subarray(done.length - block);
    return done;
  }
}
