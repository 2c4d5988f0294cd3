/** Kinds of configuration values: what each takes, from the file or from the environment, and how it complains. */
import { isIP } from 'node:net';

export class ValueError extends Error {
  override readonly name = 'ValueError';
}

export type Kind<T> = {
  /** Takes what YAML gave (any type) or what the environment gave (text). */
  readonly parse: (input: unknown) => T;
};

const complain = (wanted: string, input: unknown): never => {
  throw new ValueError(`${JSON.stringify(input) ?? String(input)} is not ${wanted}`);
};

export const text: Kind<string> = {
  parse: (input) => (typeof input === 'string' ? input.trim() : typeof input === 'number' ? String(input) : input === null ? '' : complain('text', input)),
};

/** As it stands, blanks at its ends too. YAML makes a number of 007: what is no text is refused, since it may have lost something. */
export const secret: Kind<string> = {
  parse: (input) => (typeof input === 'string' ? input : input === null ? '' : complain('text', input)),
};

/** A path; where there is none, everything would land in whatever folder the server was started from. */
export const folder: Kind<string> = {
  parse: (input) => text.parse(input) || complain('a folder', input),
};

/** An address or a network of addresses: 10.1.2.3, 10.0.0.0/8, fd00::/8. */
export const network: Kind<string> = {
  parse: (input) => {
    const value = text.parse(input);
    const [address = '', bits, ...more] = value.split('/');
    const most = [0, 0, 0, 0, 32, 0, 128][isIP(address)] ?? 0;
    const fits = most > 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
    return fits ? value : complain('an address or a network such as 10.0.0.0/8', input);
  },
};

const hostShape = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The name of a host, or an address or network. What consists of digits and dots is no name. */
export const hostOrNetwork: Kind<string> = {
  parse: (input) => {
    const value = text.parse(input).toLowerCase();
    if (!/^[\d.:/]*$/.test(value) && hostShape.test(value)) return value;
    try {
      return network.parse(value);
    } catch {
      return complain('a host such as files.example.org, or an address or a network such as 10.0.0.0/8', input);
    }
  },
};

export const flag: Kind<boolean> = {
  parse: (input) => {
    if (typeof input === 'boolean') return input;
    if (input === 'true' || input === '1' || input === 'yes') return true;
    if (input === 'false' || input === '0' || input === 'no') return false;
    return complain('true or false', input);
  },
};

const numeric = (input: unknown): number => (typeof input === 'number' ? input : typeof input === 'string' && input.trim() !== '' ? Number(input) : Number.NaN);

export const whole = (least: number, most: number): Kind<number> => ({
  parse: (input) => {
    const value = numeric(input);
    return Number.isSafeInteger(value) && value >= least && value <= most ? value : complain(`a whole number from ${least} to ${most}`, input);
  },
});

/** Or a word that stands for what is found out; null inside. */
export const wholeOr = (word: string, least: number, most: number): Kind<number | null> => ({
  parse: (input) => (input === word ? null : whole(least, most).parse(input)),
});

/** 0 lets the system choose a free one. */
export const port: Kind<number> = whole(0, 65_535);

/** Null: nothing listens. YAML 1.1 and 1.2 do not agree on whether `off` is a word. */
export const portOrOff: Kind<number | null> = {
  parse: (input) => (input === 'off' || input === false || input === null || input === '' ? null : whole(0, 65_535).parse(input)),
};

/** A share of one: 0.85, or "85%". */
export const share: Kind<number> = {
  parse: (input) => {
    const value = typeof input === 'string' && input.trim().endsWith('%') ? Number(input.trim().slice(0, -1)) / 100 : numeric(input);
    return value > 0 && value <= 1 ? value : complain('a share such as 85%', input);
  },
};

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds inside; written 500ms, 60s, 2m, 24h, 30d. A bare 0 is 0. */
export const duration = (least: string, most: string): Kind<number> => {
  const read = (input: unknown): number => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(input).trim()) ?? [];
    if (amount === undefined || unit === undefined) return numeric(input) === 0 ? 0 : Number.NaN;
    return Math.round(Number(amount) * (UNITS[unit] ?? Number.NaN));
  };
  return {
    parse: (input) => {
      const value = read(input);
      return value >= read(least) && value <= read(most) ? value : complain(`a time from ${least} to ${most}, such as 60s, 5m, 24h or 30d`, input);
    },
  };
};

/** Seconds, written as a time, or a word that means no bound; null inside. */
export const secondsOr = (word: string, most: string): Kind<number | null> => ({
  parse: (input) => {
    if (input === word) return null;
    const ms = duration('0', most).parse(input);
    return ms % 1000 === 0 ? ms / 1000 : complain(`whole seconds, such as 30s or 1h, or ${word}`, input);
  },
});

const SIZES: Record<string, number> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Bytes inside; written 64MiB, 20GB. */
export const bytes: Kind<number> = {
  parse: (input) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)?$/.exec(String(input).trim()) ?? [];
    const value = Math.round(Number(amount) * (SIZES[unit ?? 'B'] ?? Number.NaN));
    return Number.isSafeInteger(value) ? value : complain('a size such as 64MiB or 20GB', input);
  },
};

export const oneOf = <T extends string>(...choices: readonly T[]): Kind<T> => ({
  parse: (input) => choices.find((choice) => choice === input) ?? complain(`one of ${choices.join(', ')}`, input),
});

/** A list in the file; in the environment, separated by commas. */
export const list = <T>(kind: Kind<T>): Kind<readonly T[]> => ({
  parse: (input) => {
    const items: unknown[] = Array.isArray(input) ? input : typeof input === 'string' ? input.split(',').filter((item) => item.trim() !== '') : input === null ? [] : complain('a list', input);
    return items.map((item) => kind.parse(item));
  },
});

/** An address that is called, with path and query; empty: none. A password in it would end in logs. */
export const hookAddress: Kind<string> = {
  parse: (input) => {
    const value = text.parse(input);
    if (value === '') return value;
    const url = URL.canParse(value) ? new URL(value) : null;
    const fits = url && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '' && url.hash === '';
    return fits ? url.href : complain('an address such as https://auth.example.org/publish, without a password in it', input);
  },
};

/** http(s) address without a path; empty: taken from each request. */
export const origin: Kind<string> = {
  parse: (input) => {
    const value = text.parse(input);
    if (value === '') return value;
    const url = URL.canParse(value) ? new URL(value) : null;
    const fits = url && (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/' && url.search === '' && url.username === '';
    return fits ? url.origin : complain('an address such as https://video.example.org', input);
  },
};
