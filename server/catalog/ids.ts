/** Names that nobody can guess: 5 random bits a character, in an alphabet that survives being read out aloud. */
import { randomBytes } from 'node:crypto';

// Crockford's base 32 in lower case: no i, l, o, u, so that nothing is mistaken for 1 or 0.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** 5 bits of each byte. */
const spelled = (bytes: Buffer): string => {
  let text = '';
  for (const byte of bytes) text += alphabet.charAt(byte & 31);
  return text;
};

export const randomText = (length: number): string => spelled(randomBytes(length));

/** 80 random bits: the id of every row and every run. */
export const newId = (): string => randomText(16);

/** The same id for the same bytes, which must be as good as random: a MAC. */
export const idFrom = (bytes: Buffer): string => spelled(bytes.subarray(0, 16));

/** 160 random bits, in the shape that a person may have to type into an encoder. */
export const newStreamKey = (): string => randomText(32);

/** 256 random bits: session tokens and one-time links. */
export const newToken = (): string => randomBytes(32).toString('base64url');

const idShape = /^[a-z0-9]{8,32}$/;
export const isId = (text: string): boolean => idShape.test(text);
