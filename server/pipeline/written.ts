/** A YAML file as somebody wrote it: what it says, where each word of it stands, and words for what is wrong with it. */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { nearest } from '../config/nearest.ts';

export class PipelineError extends Error {
  override readonly name = 'PipelineError';
}

export type Way = readonly (string | number)[];
export type Written = {
  readonly plain: unknown;
  /** Rejects the file: with the line of what a way of keys leads to, or of the nearest thing around it that has one. */
  readonly wrong: (way: Way, words: string) => never;
};

/** More than anybody writes by hand. */
const mostBytes = 64 * 1024;

export const readWritten = (path: string, text: string): Written => {
  if (Buffer.byteLength(text) > mostBytes) throw new PipelineError(`${path}: more than ${mostBytes / 1024} KiB`);
  const lines = new LineCounter();
  const document = parsed(path, text, lines);
  const [broken] = document.errors;
  if (broken) throw new PipelineError(`${path}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0]}`);
  const wrong = (way: Way, words: string): never => {
    const offset = offsetOf(document.contents, way);
    throw new PipelineError(`${path}${offset === null ? '' : `:${lines.linePos(offset).line}`}: ${words}`);
  };
  return { plain: plainOf(path, document), wrong };
};

/** What is nested deeper than the stack reaches is nobody's pipeline. */
const parsed = (path: string, text: string, lineCounter: LineCounter): ReturnType<typeof parseDocument> => {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: true, logLevel: 'error' });
  } catch (error) {
    throw new PipelineError(`${path}: ${wordsOf(error)}`, { cause: error });
  }
};

/** Aliases are resolved only now: what is wrong with one has no line. */
const plainOf = (path: string, document: ReturnType<typeof parseDocument>): unknown => {
  try {
    return document.toJS();
  } catch (error) {
    throw new PipelineError(`${path}: ${wordsOf(error)}`, { cause: error });
  }
};

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Of the key, where there is one: that is what somebody looks for. What stands behind an alias has the place of the alias. */
const offsetOf = (contents: unknown, way: Way): number | null => {
  let at: unknown = contents;
  let offset: number | null = null;
  for (const step of way) {
    if (isAlias(at)) break;
    if (isMap(at)) {
      const pair = at.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
      if (!pair || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      at = pair.value;
    } else if (isSeq(at) && typeof step === 'number') {
      at = at.items[step];
      offset = isScalar(at) || isMap(at) || isSeq(at) || isAlias(at) ? (at.range?.[0] ?? offset) : offset;
    } else break;
  }
  return offset;
};

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** As somebody wrote it, and not too much of it. */
export const quoted = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

export const meant = (wrong: unknown, known: readonly string[]): string =>
  typeof wrong === 'string' && wrong.length <= 60 && known.length > 0 ? `; did you mean "${nearest(wrong, known)}"?` : known.length > 0 ? `; there are ${known.join(', ')}` : '';
