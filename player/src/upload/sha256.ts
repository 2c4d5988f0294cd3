/**
 * SHA-256 (FIPS 180-4) of little input. crypto.subtle has it, but not on insecure origins, and a file must be known
 * again on either kind.
 */
const roots = (power: number, count: number): Int32Array => {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  // The first 32 bits of the fractional part.
  return Int32Array.from(primes, (prime) => (prime ** power % 1) * 2 ** 32);
};

const constants = roots(1 / 3, 64);
const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

const padded = (bytes: Uint8Array): DataView => {
  const length = (Math.floor((bytes.length + 8) / 64) + 1) * 64;
  const whole = new Uint8Array(length);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  const view = new DataView(whole.buffer);
  view.setUint32(length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(length - 4, bytes.length * 8);
  return view;
};

export const sha256 = (bytes: Uint8Array): Uint8Array => {
  const view = padded(bytes);
  const state = roots(1 / 2, 8);
  const words = new Int32Array(64);
  const word = (index: number): number => words[index] as number;
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + i * 4);
    for (let i = 16; i < 64; i++) {
      const near = word(i - 15);
      const far = word(i - 2);
      const small0 = rotate(near, 7) ^ rotate(near, 18) ^ (near >>> 3);
      const small1 = rotate(far, 17) ^ rotate(far, 19) ^ (far >>> 10);
      words[i] = word(i - 16) + small0 + word(i - 7) + small1;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
    for (let i = 0; i < 64; i++) {
      const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const first = (h + big1 + ((e & f) ^ (~e & g)) + (constants[i] as number) + word(i)) | 0;
      const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] as number) + value;
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (const [i, value] of state.entries()) digest.setInt32(i * 4, value);
  return new Uint8Array(digest.buffer);
};
