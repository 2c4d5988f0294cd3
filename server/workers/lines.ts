/** One JSON value a line, both ways over a socket: what comes in is bounded, and whoever does not keep to it is no worker. */

/** The other side does not speak as it should. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** The longest line, either way: a job that is told of, or the result of one. */
export const mostBytes = 1 << 20;

const newline = 0x0a;

/** Bytes, as they come, become values. Throws WireError; what comes after that is not to be trusted either. */
export class LineReader {
  readonly #most: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(most = mostBytes) {
    this.#most = most;
  }

  push(chunk: Buffer): unknown[] {
    const values: unknown[] = [];
    let rest = chunk;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      this.#keep(rest.subarray(0, end));
      values.push(valueOf(Buffer.concat(this.#parts, this.#bytes)));
      [this.#parts, this.#bytes] = [[], 0];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) this.#keep(rest);
    return values;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#most) throw new WireError(`A line is longer than ${this.#most} bytes.`);
    this.#parts.push(part);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

const valueOf = (line: Buffer): unknown => {
  try {
    return JSON.parse(utf8.decode(line)) as unknown;
  } catch (error) {
    throw new WireError('A line is no JSON.', { cause: error });
  }
};

/** Throws WireError where it would be too long for the other side. */
export const lineOf = (value: unknown): string => {
  const line = `${JSON.stringify(value)}\n`;
  if (Buffer.byteLength(line) > mostBytes) throw new WireError(`There is more to say than a line holds: ${line.length} letters.`);
  return line;
};
