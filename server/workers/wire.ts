/**
 * What a worker and the server's desk for workers say to each other. Nothing of it is kept: both are the same program, and
 * the greeting says of which version.
 *
 *     worker ─ hello ─▶ desk          desk ─ welcome │ refused ─▶ worker
 *     worker ─ asks, each with a number ─▶ desk ─ answer with that number ─▶ worker
 *     desk ─ wake │ yield │ drop │ bye ─▶ worker
 */
import type { Job } from '../jobs/queue.ts';
import { WireError } from './lines.ts';

/** Raised whenever this file changes its meaning. */
export const protocol = 1;

export type Hello = {
  readonly type: 'hello';
  readonly protocol: number;
  /** Of Millrace: what the parts of a video are made with must be the same everywhere. */
  readonly version: string;
  /** Of ffmpeg, for the same reason. */
  readonly ffmpeg: string;
  readonly name: string;
  readonly pid: number;
  readonly slots: number;
  readonly classes: readonly string[];
};

/** Of a job that it holds, by this lease. */
type OfJob = { readonly n: number; readonly job: string; readonly fence: number };
export type Ask =
  | { readonly type: 'lease'; readonly n: number; readonly classes: readonly string[] }
  | ({ readonly type: 'heartbeat' | 'release' } & OfJob)
  | ({ readonly type: 'progress'; readonly done: number } & OfJob)
  | ({ readonly type: 'complete'; readonly result: unknown } & OfJob)
  /** `code`: what went wrong, of those that people are told in words. */
  | ({ readonly type: 'fail'; readonly reason: string; readonly recoverable: boolean; readonly code: string | null } & OfJob);

export type Granted = { readonly job: Job; readonly fence: number; readonly cores: number };

export type Said =
  /** `folder`: of its jobs, within the data folder. */
  | { readonly type: 'welcome'; readonly id: string; readonly folder: string; readonly leaseMs: number }
  /** `final`: it will be so another time. */
  | { readonly type: 'refused'; readonly said: string; readonly final: boolean }
  | { readonly type: 'answer'; readonly n: number; readonly value: boolean | Granted | null }
  /** It could not be found out. */
  | { readonly type: 'trouble'; readonly n: number; readonly said: string }
  /** There may be something to do. */
  | { readonly type: 'wake' }
  /** Its cores are needed by somebody more important. */
  | { readonly type: 'yield'; readonly job: string }
  /** Nobody wants it any more. */
  | { readonly type: 'drop'; readonly job: string }
  /** The server stops. */
  | { readonly type: 'bye' };

type Check<T> = (value: unknown) => value is T;
type Checked<S> = { readonly [N in keyof S]: S[N] extends Check<infer T> ? T : never };

const text =
  (most: number): Check<string> =>
  (value): value is string =>
    typeof value === 'string' && value.length <= most;
const whole =
  (least: number, most: number): Check<number> =>
  (value): value is number =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
const flag: Check<boolean> = (value): value is boolean => typeof value === 'boolean';
const share: Check<number> = (value): value is number => typeof value === 'number' && value >= 0 && value <= 1;
const anything: Check<unknown> = (value): value is unknown => value !== undefined;
const textOrNull = (most: number): Check<string | null> => (value): value is string | null => value === null || text(most)(value);
const few =
  (most: number): Check<readonly string[]> =>
  (value): value is readonly string[] =>
    Array.isArray(value) && value.length <= most && value.every((one) => text(40)(one));

const named = (value: unknown): { readonly [name: string]: unknown } => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WireError('A message is no object.');
  return value as { readonly [name: string]: unknown };
};

/** Only what is asked for is taken over, and all of that has to be there. */
const fields = <S extends { readonly [name: string]: Check<unknown> }>(value: { readonly [name: string]: unknown }, checks: S): Checked<S> => {
  const taken: { [name: string]: unknown } = {};
  for (const [name, check] of Object.entries(checks)) {
    const one = Object.hasOwn(value, name) ? value[name] : undefined;
    if (!check(one)) throw new WireError(`A message has no "${name}" that can be understood.`);
    taken[name] = one;
  }
  return taken as Checked<S>;
};

const mostOfName = 64;
const mostOfReason = 2_000;
const number = whole(1, Number.MAX_SAFE_INTEGER);
const ofJob = { n: number, job: text(40), fence: number };

/** The first that a worker says. Of another protocol not even the rest of it can be understood, and it has to be told so. */
export const readHello = (value: unknown): Hello | { readonly type: 'stranger'; readonly protocol: number } => {
  const message = named(value);
  if (message['type'] !== 'hello') throw new WireError('It does not say who it is.');
  const { protocol: spoken } = fields(message, { protocol: whole(0, 1_000_000) });
  if (spoken !== protocol) return { type: 'stranger', protocol: spoken };
  const hello = fields(message, { version: text(mostOfName), ffmpeg: text(200), name: text(mostOfName), pid: whole(1, 2 ** 31), slots: whole(1, 1024), classes: few(16) });
  return { type: 'hello', protocol, ...hello };
};

export const readAsk = (value: unknown): Ask => {
  const message = named(value);
  const { type } = message;
  switch (type) {
    case 'lease':
      return { type, ...fields(message, { n: number, classes: few(16) }) };
    case 'heartbeat':
    case 'release':
      return { type, ...fields(message, ofJob) };
    case 'progress':
      return { type, ...fields(message, { ...ofJob, done: share }) };
    case 'complete':
      return { type, ...fields(message, { ...ofJob, result: anything }) };
    case 'fail':
      return { type, ...fields(message, { ...ofJob, reason: text(mostOfReason), recoverable: flag, code: textOrNull(100) }) };
    default:
      throw new WireError('It asks for something that nobody knows.');
  }
};

export const readSaid = (value: unknown): Said => {
  const message = named(value);
  const { type } = message;
  switch (type) {
    case 'welcome':
      return { type, ...fields(message, { id: text(40), folder: text(200), leaseMs: whole(1, 86_400_000) }) };
    case 'refused':
      return { type, ...fields(message, { said: text(mostOfReason), final: flag }) };
    case 'answer':
      return { type, ...fields(message, { n: number, value: isAnswer }) };
    case 'trouble':
      return { type, ...fields(message, { n: number, said: text(mostOfReason) }) };
    case 'yield':
    case 'drop':
      return { type, ...fields(message, { job: text(40) }) };
    case 'wake':
    case 'bye':
      return { type };
    default:
      throw new WireError('It says something that nobody knows.');
  }
};

const isAnswer: Check<boolean | Granted | null> = (value): value is boolean | Granted | null => {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value !== 'object') return false;
  const { job, fence, cores } = value as { job?: unknown; fence?: unknown; cores?: unknown };
  return isJob(job) && number(fence) && typeof cores === 'number' && cores > 0;
};

/** As far as a runner looks at it; the rest is its handler's, who is of the same program as whoever queued it. */
const isJob = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const { id, key, class: jobClass, kind, attempts, maxAttempts } = value as { [name: string]: unknown };
  return [key, jobClass, kind].every((one) => typeof one === 'string') && typeof id === 'string' && /^[a-z0-9]{8,32}$/.test(id) && whole(0, 1e6)(attempts) && whole(1, 1e6)(maxAttempts);
};
