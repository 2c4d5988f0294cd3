/**
 * What encoding costs on this machine: measured by short runs of ffmpeg, kept with the data, and measured anew where the
 * processor, its cores, ffmpeg or the way of measuring is another one. What counts is time of the processor, which others
 * make a little longer and not many times as long, as they would the time on the wall.
 *
 *     a sample is made            not counted
 *     decoded                     decode
 *     decoded and scaled          scale: what it is more
 *     decoded, scaled, encoded    encode, for each preset that ladders name: what it is more
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { inputName, makeJobPlace, type JobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import { megapixelsOf, type CoreCost } from '../../packager/live/ladder-cost.ts';

export type MeasureOptions = {
  readonly sandbox: Pick<Sandbox, 'run' | 'programs'>;
  /** The data folder. */
  readonly data: string;
  readonly cores: number;
  /** Of x264, that ladders name. */
  readonly presets: readonly string[];
  readonly signal?: AbortSignal;
};

/** Why there is no measure: a sentence without its end. */
export class NotMeasured extends Error {
  override readonly name = 'NotMeasured';
}

const source = { width: 1280, height: 720 };
const rung = { width: 854, height: 480 };
const pictures = 60;
/** What is read only is read so often: it is over too soon otherwise. */
const rounds = 5;
/** Moving, with edges and colours, and something that is nowhere alike: pictures that cost about what a game does. */
const scene = `testsrc2=size=${source.width}x${source.height}:rate=30,noise=alls=6:allf=t`;
const sampleArgs = ['-f', 'lavfi', '-i', scene, '-frames:v', String(pictures), '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '60', '-b:v', '4M', '-maxrate:v', '4M', '-bufsize:v', '4M', '-pix_fmt', 'yuv420p'];
const sampleName = 'sample.mp4';
const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 60, fileBytes: 16 * 2 ** 20 };
const wallMs = 120_000;
const scaled = `scale=${rung.width}:${rung.height}:flags=bicubic:out_range=tv,setsar=1,format=yuv420p`;
const toNothing = ['-fps_mode', 'passthrough', '-f', 'null', '-'];
const plain = ['-c:v', 'wrapped_avframe'];
const encoded = (preset: string): string[] => [
  ...['-c:v', 'libx264', '-preset', preset, '-tune', 'zerolatency', '-profile:v', 'high', '-threads:v', '2'],
  ...['-b:v', '1100k', '-maxrate:v', '1320k', '-bufsize:v', '1100k', '-g', '60', '-sc_threshold', '0'],
];
/** A difference of two runs that comes to nothing is not believed. */
const leastShare = 0.1;
/** Counts up when it is measured in another way. */
const way = 1;
/** By which others are guessed: without it there is no measure. */
const reference = 'veryfast';

/** `tried`: presets, also those that there is no figure of, for they take too long here. */
type Kept = { readonly machine: string; readonly tried?: readonly unknown[]; readonly cost: CoreCost };

/** Of what the figures hold for. */
export const machineOf = (cores: number, ffmpeg: string, model = cpus()[0]?.model ?? 'unknown'): string => `${model.trim()} / ${cores} cores / ffmpeg ${ffmpeg} / ${way}`;

const pathOf = (data: string): string => join(data, 'machine.json');

/** Null: nothing is kept that holds for this machine and these presets. */
export const keptCost = async ({ sandbox, data, cores, presets }: MeasureOptions): Promise<CoreCost | null> => {
  try {
    const kept: unknown = JSON.parse(await readFile(pathOf(data), 'utf8'));
    const holds = isKept(kept) && kept.machine === machineOf(cores, sandbox.programs.version) && presets.every((preset) => kept.cost.encode[preset] !== undefined || kept.tried?.includes(preset));
    return holds ? kept.cost : null;
  } catch {
    return null; // Not measured yet, or somebody has put something else there.
  }
};

export const keepCost = async ({ sandbox, data, cores, presets }: MeasureOptions, cost: CoreCost): Promise<void> => {
  const path = pathOf(data);
  const kept: Kept = { machine: machineOf(cores, sandbox.programs.version), tried: presets, cost };
  await writeFile(`${path}.new`, `${JSON.stringify(kept, null, 2)}\n`);
  await rename(`${path}.new`, path);
};

/** A preset that cannot be measured is left out; what it costs is guessed by the others. Rejects with NotMeasured. Some seconds of a core. */
export const measureCost = async ({ data, presets, ...by }: MeasureOptions): Promise<CoreCost> => {
  const place = await makeJobPlace(join(data, 'jobs', `measure-${process.pid}`));
  try {
    const input = join(place.work, inputName);
    // What is not there cannot be walled off.
    await writeFile(input, '');
    await spent(by, place, [...sampleArgs, '-f', 'mp4', sampleName]);
    await rename(join(place.work, sampleName), input);
    const read = (times: number): string[] => ['-threads', '1', '-stream_loop', String(times - 1), '-f', 'mov', '-i', inputName];
    const whole = (source.width * source.height) / 1e6;
    const decode = (await spent(by, place, [...read(rounds), ...plain, ...toNothing])) / (rounds * pictures);
    const reading = (await spent(by, place, [...read(rounds), '-vf', scaled, ...plain, ...toNothing])) / (rounds * pictures);
    const encode: { [preset: string]: number } = {};
    for (const preset of presets) {
      const run = spent(by, place, [...read(2), '-vf', scaled, ...encoded(preset), ...toNothing]);
      const seconds = await (preset === reference ? run : run.catch(unlessStopped(by.signal)));
      if (seconds === null) continue;
      const all = seconds / (2 * pictures);
      encode[preset] = figure(Math.max(all - reading, leastShare * all) / megapixelsOf(rung.width, rung.height));
    }
    return { decode: figure(decode / whole), scale: figure(Math.max(reading - decode, leastShare * decode) / whole), encode };
  } finally {
    await rm(place.folder, { recursive: true, force: true });
  }
};

/** One slow preset takes the measure of nothing else away. */
const unlessStopped =
  (signal: AbortSignal | undefined) =>
  (error: unknown): null => {
    if (error instanceof NotMeasured && !signal?.aborted) return null;
    throw error;
  };

/** Seconds of a core. */
const spent = async ({ sandbox, signal }: Pick<MeasureOptions, 'sandbox' | 'signal'>, place: JobPlace, args: readonly string[]): Promise<number> => {
  const { code, ended, complaints } = await sandbox.run({
    ...{ program: 'ffmpeg', place, limits, wallMs, ...(signal && { signal }) },
    args: ['-hide_banner', '-nostdin', '-nostats', '-benchmark', '-protocol_whitelist', 'file,pipe', ...args],
  });
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(complaints) ?? [];
  const seconds = Number(user) + Number(system);
  if (code === 0 && seconds > 0) return seconds;
  throw new NotMeasured(`ffmpeg ended with ${code ?? ended}: ${complaints.trim().split('\n').slice(-2).join(' | ').slice(-300) || 'it said nothing'}`);
};

/** Four digits: more would say more than anybody knows. */
const figure = (cost: number): number => Number(cost.toPrecision(4));

const isKept = (value: unknown): value is Kept => isRecord(value) && typeof value['machine'] === 'string' && (value['tried'] === undefined || Array.isArray(value['tried'])) && isCost(value['cost']);
const isCost = (value: unknown): value is CoreCost => {
  if (!isRecord(value) || !isFigure(value['decode']) || !isFigure(value['scale']) || !isRecord(value['encode'])) return false;
  return isFigure(value['encode'][reference]) && Object.values(value['encode']).every(isFigure);
};
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isFigure = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < 10;
