/** Names that nobody can guess: 5 random bits a character, in an alphabet that survives being read out aloud. */
import { randomBytes } from 'node:crypto';

// Crockford's base 32 in lower case: no i, l, o, u, so that nothing is mistaken for 1 or 0.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

export const randomText = (length: number): string => {
  let text = '';
  for (const byte of randomBytes(length)) text += alphabet.charAt(byte & 31);
  return text;
};

/** 80 random bits: the id of every row and every run. */
export const newId = (): string => randomText(16);

/** 160 random bits, in the shape that a person may have to type into an encoder. */
export const newStreamKey = (): string => randomText(32);

/** 256 random bits: session tokens and one-time links. */
export const newToken = (): string => randomBytes(32).toString('base64url');

const idShape = /^[a-z0-9]{8,32}$/;
export const isId = (text: string): boolean => idShape.test(text);
