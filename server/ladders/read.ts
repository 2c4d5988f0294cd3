/** The ladders that an operator wrote down: `conf/ladders/<name>.yaml`. What is wrong with one is said with its place. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { RungWish } from '../../packager/live/ladder-plan.ts';

export type WrittenLadder = {
  readonly rungs: readonly RungWish[];
  /** Of the AAC that is made beside sound that not all can play, in stereo; null: the usual. */
  readonly soundBitRate: number | null;
};
export type Ladders = ReadonlyMap<string, WrittenLadder>;

export class LadderError extends Error {
  override readonly name = 'LadderError';
}

/** What these mean is settled, whatever lies in the folder. */
const reserved = ['source', 'auto'];
const namePattern = /^[a-z0-9_-]{1,40}$/;
const mostRungs = 8;
const presets = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'slower', 'veryslow'];
const keys = ['height', 'bitrate', 'preset', 'fps'];

export const readLadders = (folder: string): Ladders => {
  const ladders = new Map<string, WrittenLadder>();
  const files = filesOf(folder).filter((file) => file.endsWith('.yaml') && !file.startsWith('.'));
  for (const file of files.toSorted()) {
    const name = basename(file, '.yaml');
    const path = join(folder, file);
    if (!namePattern.test(name)) throw new LadderError(`${path}: the name of a ladder is 1 to 40 of a-z 0-9 - _`);
    if (reserved.includes(name)) throw new LadderError(`${path}: "${name}" means something else`);
    ladders.set(name, parseLadder(path, textOf(path)));
  }
  return ladders;
};

const filesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new LadderError(`The folder of ladders ${folder} cannot be read: ${wordsOf(error)}`, { cause: error });
  }
};

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new LadderError(`${path} cannot be read: ${wordsOf(error)}`, { cause: error });
  }
};

/** Aliases are resolved only now: what is wrong with one has no line. */
const plainOf = (path: string, document: ReturnType<typeof parseDocument>): unknown => {
  try {
    return document.toJS();
  } catch (error) {
    throw new LadderError(`${path}: ${wordsOf(error)}`, { cause: error });
  }
};

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const parseLadder = (path: string, text: string): WrittenLadder => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [broken] = document.errors;
  if (broken) throw new LadderError(`${path}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0]}`);
  const plain = plainOf(path, document);
  const { rungs, audio = null } = isRecord(plain) && Object.keys(plain).every((key) => key === 'rungs' || key === 'audio') ? plain : {};
  if (!Array.isArray(rungs) || rungs.length === 0 || rungs.length > mostRungs) throw new LadderError(`${path}: "rungs" is a list of 1 to ${mostRungs}, and nothing but "audio" stands beside it`);
  const wishes = rungs.map((rung: unknown, index) => wishOf(rung, `${path}: rung ${index + 1}`));
  const twice = wishes.find(({ height }, index) => wishes.findIndex((other) => other.height === height) !== index);
  if (twice) throw new LadderError(`${path}: there are two rungs of ${twice.height}`);
  const soundBitRate = audio === null ? null : bitsOf(audio);
  if (audio !== null && (soundBitRate === null || soundBitRate < 32_000 || soundBitRate > 320_000)) throw new LadderError(`${path}: "audio" is written like 128k, from 32k to 320k`);
  return { rungs: wishes.toSorted((a, b) => b.height - a.height), soundBitRate };
};

const wishOf = (rung: unknown, place: string): RungWish => {
  if (!isRecord(rung)) throw new LadderError(`${place} is not { height, bitrate, preset }`);
  const unknown = Object.keys(rung).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new LadderError(`${place}: there is no "${unknown}"; there are ${keys.join(', ')}`);
  const { height, bitrate, preset = 'veryfast', fps = null } = rung;
  if (!isWhole(height, 64, 4320) || height % 2 !== 0) throw new LadderError(`${place}: "height" is an even number from 64 to 4320`);
  const bitRate = bitsOf(bitrate);
  if (bitRate === null || bitRate < 32_000 || bitRate > 100_000_000) throw new LadderError(`${place}: "bitrate" is written like 1100k or 2.5M, from 32k to 100M`);
  if (typeof preset !== 'string' || !presets.includes(preset)) throw new LadderError(`${place}: "preset" is one of ${presets.join(', ')}`);
  if (fps !== null && !isWhole(fps, 1, 240)) throw new LadderError(`${place}: "fps" is a whole number from 1 to 240`);
  return { height, bitRate, preset, mostPictures: fps };
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isWhole = (value: unknown, least: number, most: number): value is number => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

const bitsOf = (value: unknown): number | null => {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([kM]?)$/.exec(String(value));
  return match ? Math.round(Number(match[1]) * ({ k: 1e3, M: 1e6 }[match[2] ?? ''] ?? 1)) : null;
};
