/** Reads a JSON body; nothing at all is nothing. A `__proto__` in it is a property like any other, which no schema knows. */
import { Problem } from './problem.ts';

const place = (error: unknown): string => {
  const said = error instanceof Error ? error.message : '';
  const at = /position (\d+)/.exec(said)?.[1];
  if (at !== undefined) return ` at character ${at}`;
  return said.startsWith('Unexpected end') || said.startsWith('Unterminated') ? ' at its end' : '';
};

export const parseJson = (text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Problem('malformed-json', `The body cannot be read as JSON: it goes wrong${place(error)}.`);
  }
};
