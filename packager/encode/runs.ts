/**
 * The two things that are done with a hostile file: it is looked at (ffprobe), and something is made of it (ffmpeg). What
 * comes of it is a value or an `EncodeError`, whose code says what to tell whoever sent the file.
 */
import { constants, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { captionName, captionsCommand } from './captions.ts';
import type { Ran } from './child.ts';
import { madeName, stepCommand, type CommandFacts } from './command.ts';
import type { Container } from '../media/sniff.ts';
import { calm, hostileInput, mostStreams } from './hostile.ts';
import { InspectionError, inspectionEntries, readInspection, type Inspection, type TextStream } from './inspection.ts';
import type { JobPlace, Sandbox, SandboxRun } from './sandbox.ts';

export type EncodeErrorCode = 'broken' | 'too-many-tracks' | 'picture-too-large' | 'took-too-long' | 'encode-failed' | 'no-room' | 'unwanted';

export class EncodeError extends Error {
  override readonly name = 'EncodeError';
  readonly code: EncodeErrorCode;
  /** It may go better another time. */
  readonly recoverable: boolean;
  constructor(code: EncodeErrorCode, message: string, recoverable = false, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.recoverable = recoverable;
  }
}

export type Workbench = { readonly sandbox: Pick<Sandbox, 'run' | 'level'>; readonly place: JobPlace; readonly container: Container; readonly signal: AbortSignal };

/** What a machine under load takes for 8 s of work, and more: the kernel counts the work itself, where it can be asked to. */
const inspectMs = 60_000;
const inspectBytes = 4 * 1024 * 1024;
const inspectLimits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 8, fileBytes: 0 };
const makeMemory = 6 * 2 ** 30;
/** 4 hours of work at the most for an hour of film, and a while for anything. */
const slowest = 4;
const leastMs = 10 * 60_000;
const longestMs = 3 * 86_400_000;

export type Inspected = {
  readonly inspection: Inspection;
  /** Why there may be less in it than there should be; null: nothing is known to be wrong. */
  readonly trouble: EncodeError | null;
};

export const inspect = async ({ sandbox, place, container, signal }: Workbench): Promise<Inspected> => {
  const args = [...calm, '-of', 'json', '-show_entries', inspectionEntries, ...hostileInput(container)];
  // Bare, nobody counts its work: its time has to do.
  const wallMs = sandbox.level === 'bare' ? inspectLimits.cpuSeconds * 1000 : inspectMs;
  const ran = await sandbox.run({ program: 'ffprobe', args, place, limits: inspectLimits, wallMs, signal, outputBytes: inspectBytes });
  // It was hardly let work: the machine has too much to do, which is no fault of the file, and may be over soon.
  if (ran.ended === 'time') throw tookTooLong(true);
  // It is killed for its work where it cannot be told to end. Memory it is refused before the machine has none left.
  if (ran.ended === 'itself' && killed(ran, 'SIGKILL')) throw tookTooLong(false);
  const trouble = reasonOf(ran);
  // Whatever it complained about: what it could tell counts.
  const inspection = ran.ended === 'itself' && ran.code === 0 ? readOrNull(ran.output) : null;
  if (inspection && (inspection.streams > 0 || !trouble)) return { inspection, trouble };
  if (ran.ended === 'output') throw new EncodeError('too-many-tracks', `There are more than ${mostStreams} tracks in it.`);
  throw trouble ?? new EncodeError('broken', 'It cannot be read: the file is damaged, or not what it says that it is.', false, wordsOf(ran));
};

const readOrNull = (output: Buffer): Inspection | null => {
  try {
    return readInspection(output.toString());
  } catch (error) {
    if (error instanceof InspectionError) return null;
    throw error;
  }
};

export type MakeOptions = Omit<CommandFacts, 'container'> & {
  /** Seconds that the source lasts; null: not known. */
  readonly duration: number | null;
  readonly fileBytes: number;
  /** 0 to 1. */
  readonly progress: (done: number) => void;
};

/** Resolves with the path of what was made. */
export const make = async ({ sandbox, place, container, signal }: Workbench, { duration, fileBytes, progress, ...facts }: MakeOptions): Promise<string> => {
  const wallMs = Math.min(longestMs, leastMs + slowest * 1000 * (duration ?? 6 * 3600));
  const run: SandboxRun = {
    ...{ program: 'ffmpeg', args: stepCommand({ container, ...facts }), place, signal, wallMs },
    limits: { memoryBytes: makeMemory, cpuSeconds: Math.ceil((wallMs / 1000) * facts.threads), fileBytes },
    line: (text) => {
      const done = doneOf(text, duration);
      if (done !== null) progress(done);
    },
  };
  const ran = await sandbox.run(run);
  const made = join(place.work, madeName);
  if (ran.ended === 'itself' && ran.code === 0 && (await lstat(made).catch(() => null))?.isFile()) return made;
  throw reasonOf(ran) ?? new EncodeError('encode-failed', 'It could not be converted.', false, wordsOf(ran));
};

const captionLimits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 600 };
/** All of the file is read for them. */
const captionMs = 30 * 60_000;

/** WebVTT for each; null: it could not be read to its end, or there is more than anybody reads. */
export const takeCaptions = async (bench: Workbench, texts: readonly TextStream[], mostBytes: number): Promise<(string | null)[]> => {
  const { sandbox, place, container, signal } = bench;
  const limits = { ...captionLimits, fileBytes: 2 * mostBytes };
  const ran = await sandbox.run({ program: 'ffmpeg', args: captionsCommand(container, texts), place, signal, wallMs: captionMs, limits });
  if (ran.ended === 'itself' && ran.code === 0) return Promise.all(texts.map((_, at) => textOf(join(place.work, captionName(at)), mostBytes)));
  // What there is of them may end anywhere.
  if (ran.ended === 'time') throw tookTooLong(true);
  const reason = reasonOf(ran);
  if (reason?.recoverable) throw reason;
  // All of the file is read for each: what it cost once, it costs every time.
  if (texts.length === 1 || reason?.code === 'took-too-long') return texts.map(() => null);
  const taken: (string | null)[] = [];
  // What ends the program costs only itself.
  for (const text of texts) taken.push(...(await takeCaptions(bench, [text], mostBytes)));
  return taken;
};

/** A program that was taken over may have left anything under this name: a link to somewhere else, a pipe. */
const textOf = async (path: string, mostBytes: number): Promise<string | null> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (!file) return null;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= mostBytes ? await file.readFile('utf8') : null;
  } finally {
    await file.close();
  }
};

/** `out_time_us=3970612`: how much of the film has been made. */
export const doneOf = (line: string, duration: number | null): number | null => {
  const [, micros] = /^out_time_us=(\d{1,15})$/.exec(line) ?? [];
  return micros === undefined || duration === null ? null : Math.min(1, Number(micros) / 1e6 / duration);
};

/** What went wrong, where it can be told; null: the program was simply not content. */
const reasonOf = (ran: Ran): EncodeError | null => {
  const { ended, complaints } = ran;
  if (ended === 'unwanted') return new EncodeError('unwanted', 'It is not wanted any more.', true);
  if (ended === 'time' || killed(ran, 'SIGXCPU') || hasHeardEnough(ran)) return tookTooLong(false);
  if (killed(ran, 'SIGXFSZ') || /File too large/.test(complaints)) return new EncodeError('encode-failed', 'What is made of it is larger than any video should be.');
  if (/No space left on device|Disk quota exceeded/.test(complaints)) return new EncodeError('no-room', 'There is no room left on the disk of the server.', true);
  if (/max_streams/.test(complaints)) return new EncodeError('too-many-tracks', `There are more than ${mostStreams} tracks in it.`);
  if (/Picture size \d+x\d+ (is invalid|exceeds)/.test(complaints)) return new EncodeError('picture-too-large', 'Its picture is larger than this server takes.');
  // Killed by the system (no memory left), or it ran into a wall of its own.
  if (killed(ran, 'SIGKILL')) return new EncodeError('encode-failed', 'The machine had no memory left for it.', true);
  return null;
};

const tookTooLong = (recoverable: boolean): EncodeError => new EncodeError('took-too-long', 'Working on it took longer than any video should.', recoverable);

const numbers = { SIGXCPU: 24, SIGXFSZ: 25, SIGKILL: 9 };

/** Whoever waits for a program says its signal as a number above 128. */
const killed = ({ killedBy, code }: Ran, signal: keyof typeof numbers): boolean => killedBy === signal || code === 128 + numbers[signal];

/** ffmpeg ends by itself when it is told that it worked too long; nobody tells it anything else. Some that fail end with 255 too, and say so. */
const hasHeardEnough = ({ code, complaints }: Ran): boolean => code === 123 || (code === 255 && !/Operation not permitted/.test(complaints));

/** For the log of the server: whoever sent the file is told nothing of how things look inside. */
const wordsOf = ({ complaints, code, killedBy }: Ran): ErrorOptions => ({ cause: new Error(`${killedBy ?? code}: ${complaints.trim().split('\n').slice(-3).join(' | ').slice(-600)}`) });
