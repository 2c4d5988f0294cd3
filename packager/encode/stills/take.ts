/**
 * Pictures out of a track: the access units of key pictures are read through the log, handed to a decoder behind walls, and come
 * back small and raw. One that cannot be decoded costs itself, and no other.
 */
import { codedPicture, type CodedPicture } from '../../cmaf/coded-picture.ts';
import { CmafError } from '../../cmaf/cmaf-error.ts';
import { readInit } from '../../cmaf/reader.ts';
import { isLost, type LogSnapshot, type TrackLogReader } from '../../log/types.ts';
import { CodecError } from '../../media/codec-error.ts';
import { NutError } from '../../nut/nut.ts';
import { NutReader } from '../../nut/reader.ts';
import { nutFrameHead, nutHead } from '../../nut/writer.ts';
import { bytesOf } from '../../pictures/raw.ts';
import type { KeyMoment } from '../../pictures/moments.ts';
import type { Size } from '../../pictures/storyboard.ts';
import { headSize, readHead } from '../../progressive/fragment-head.ts';
import { EncodeError } from '../runs.ts';
import type { JobPlace, Sandbox } from '../sandbox.ts';
import { decodeCommand, stillTimescale } from './command.ts';

export type StillBench = { readonly sandbox: Pick<Sandbox, 'feed' | 'programs'>; readonly place: JobPlace; readonly signal: AbortSignal };

/** Decoded together: what is read for them lies in memory. */
const mostAtOnce = 64;
const mostBytesAtOnce = 24 * 2 ** 20;
/** A picture of 8192 × 8192 pixels at the best quality has less. */
const largestPicture = 24 * 2 ** 20;
const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 120, fileBytes: 0 };
/** What a machine with too much to do takes for less than a minute of work, and more. */
const wallMs = 10 * 60_000;
/** Runs that gave nothing: after so many the rest is given up as well. */
const mostFailures = 8;
const firstRead = 48 * 1024;
/** A decoder that holds back more than it has to loses nothing: it is told when no more come. */
const reorder = 16;
/** In thousandths: none is near another. */
const apart = 1000;

/** What pictures of an epoch are; null: nobody can say. */
export const stillSource = ({ epochs }: Pick<LogSnapshot, 'epochs'>, epoch: number): CodedPicture | null => {
  const facts = epochs.find((one) => one.epoch === epoch);
  if (!facts || facts.init.length === 0) return null;
  try {
    const init = readInit(facts.init);
    return init.kind === 'video' ? codedPicture(init) : null;
  } catch (error) {
    if (error instanceof CmafError || error instanceof CodecError) return null;
    throw error;
  }
};

/** The first sample of a fragment, without the rest of it; null: it cannot be read. */
const keyOf = async (reader: TrackLogReader, seq: number, size: number): Promise<Buffer | null> => {
  const head = async (bytes: number): Promise<Buffer> => (await reader.readHeads(seq, seq + 1, Math.min(size, bytes)))[0] ?? Buffer.alloc(0);
  let bytes = await head(firstRead);
  const needed = headSize(bytes);
  if (needed > bytes.length) bytes = await head(needed);
  let [first, isKey] = [-1, false];
  const { from } = readHead(bytes, size, (_duration, length, _offset, key) => {
    if (first < 0) [first, isKey] = [length, key];
  });
  if (!isKey || first <= 0 || first > largestPicture) return null;
  if (from + first > bytes.length) bytes = await head(from + first);
  return bytes.length < from + first ? null : Buffer.from(bytes.subarray(from, from + first));
};

export type Sample = { readonly pts: number; readonly key: boolean; readonly data: Buffer };

/** By their times, raw; those that are missing could not be decoded. `samples`: in the order of decoding, times in thousandths, from 0. */
export const decode = async ({ sandbox, place, signal }: StillBench, source: CodedPicture, samples: readonly Sample[], size: Size): Promise<Map<number, Buffer>> => {
  const head = nutHead({ ...source, timescale: stillTimescale, reorder }, 0);
  const input = Buffer.concat([head, ...samples.flatMap(({ pts, key, data }) => [nutFrameHead(pts, key, data.length), data])]);
  const outputBytes = 2 * 2 ** 20 + (samples.length + 2) * (bytesOf(size) + 1024);
  const args = decodeCommand(source, size, sandbox.programs.filters);
  const ran = await sandbox.feed({ program: 'ffmpeg', args, place, limits, wallMs, signal, input, outputBytes });
  if (ran.ended === 'unwanted') throw new EncodeError('unwanted', 'It is not wanted any more.', true);
  if (ran.ended === 'time') throw new EncodeError('took-too-long', 'Pictures of it were not decoded in time.', true);
  return rawPictures(ran.output, size);
};

/** Whatever came before it broke off. */
const rawPictures = (output: Buffer, size: Size): Map<number, Buffer> => {
  const pictures = new Map<number, Buffer>();
  const reader = new NutReader({ pictureBytes: bytesOf(size) + 4096 });
  let timeBase = { numerator: 1, denominator: stillTimescale };
  try {
    for (const item of reader.push(output)) {
      if (item.kind === 'stream') ({ timeBase } = item);
      else if (item.data.length === bytesOf(size)) pictures.set(Math.round((item.pts * timeBase.numerator * stillTimescale) / timeBase.denominator), item.data);
    }
  } catch (error) {
    if (!(error instanceof NutError)) throw error;
  }
  return pictures;
};

/** Of each moment its picture; null: it could not be decoded. */
export const takeStills = async (bench: StillBench, reader: TrackLogReader, moments: readonly KeyMoment[], size: Size): Promise<(Buffer | null)[]> => {
  const log = reader.snapshot();
  const stills = moments.map((): Buffer | null => null);
  const failures = { left: mostFailures };
  for (let at = 0; at < moments.length; ) {
    bench.signal.throwIfAborted();
    const { epoch = 0 } = moments[at] ?? {};
    const source = stillSource(log, epoch);
    const batch: (Sample & { readonly index: number })[] = [];
    let bytes = 0;
    for (; at < moments.length && moments[at]?.epoch === epoch && batch.length < mostAtOnce && bytes < mostBytesAtOnce; at += 1) {
      const { seq = 0 } = moments[at] ?? {};
      const data = source && (await readable(() => keyOf(reader, seq, log.entry(seq).size)));
      if (!data) continue;
      batch.push({ index: at, pts: batch.length * apart, key: true, data });
      bytes += data.length;
    }
    if (source) await decodeAll(bench, source, batch, size, stills, failures);
  }
  return stills;
};

/** What is damaged is as good as not there. */
export const readable = async <Read>(read: () => Promise<Read | null>): Promise<Read | null> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CmafError || isLost(error)) return null;
    throw error;
  }
};

type Indexed = Sample & { readonly index: number };

/** A picture that ends the decoder is passed over, and those behind it are tried again. */
const decodeAll = async (bench: StillBench, source: CodedPicture, batch: readonly Indexed[], size: Size, stills: (Buffer | null)[], failures: { left: number }): Promise<void> => {
  let rest = batch;
  while (rest.length > 0 && failures.left > 0) {
    const renumbered = rest.map((one, place) => ({ ...one, pts: place * apart }));
    const pictures = await decode(bench, source, renumbered, size);
    let last = -1;
    for (const [place, { index, pts }] of renumbered.entries()) {
      const picture = pictures.get(pts);
      if (!picture) continue;
      stills[index] = picture;
      last = place;
    }
    if (pictures.size >= rest.length) return;
    failures.left -= 1;
    // Those ahead of the last one that came were passed over by the decoder itself; the next one ended it.
    rest = rest.slice(last + 2);
  }
};
