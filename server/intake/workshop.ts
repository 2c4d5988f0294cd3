/** Whether anything can be converted on this machine, and behind which walls: found out once, at the start. */
import type { Clock } from '../../packager/clock.ts';
import type { SandboxLevel } from '../../packager/encode/confine.ts';
import { findPrograms, NoPrograms, type Environment, type Programs } from '../../packager/encode/programs.ts';
import { Sandbox, type SandboxOptions } from '../../packager/encode/sandbox.ts';
import type { ServerLog } from '../log.ts';
import { sweepJobs } from './sweep.ts';

export type Workshop = {
  /** A sentence without its end: why nothing is converted here. */
  readonly sandbox: Sandbox | string;
  /** For whoever runs the server. */
  readonly facts: { readonly ffmpeg: string | null; readonly sandbox: SandboxLevel | null; readonly refused: string | null };
};

export type WorkshopOptions = {
  /** `<data>/jobs` */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** Nothing is converted but behind all of the walls. */
  readonly strict: boolean;
  readonly environment?: Environment;
} & Pick<SandboxOptions, 'only' | 'gentle'>;

const meanings: { readonly [level in SandboxLevel]: string } = {
  full: 'ffmpeg sees the file that it reads, and nothing else of this machine',
  'no-network': 'ffmpeg has no network, but could read what the server may read',
  limits: 'ffmpeg is limited in memory and time, and not kept from files and network',
  bare: 'ffmpeg runs as any other program of this user',
};

export const openWorkshop = async ({ folder, clock, log, strict, environment, ...tried }: WorkshopOptions): Promise<Workshop> => {
  await sweepJobs(folder, log);
  const refusing = (refused: string, programs: Programs | null = null, level: SandboxLevel | null = null): Workshop => {
    log.warn({ ffmpeg: programs?.version ?? null, sandbox: level }, `Videos that would have to be converted are refused, and what is made behind others waits for a start without this: ${refused}.`);
    return { sandbox: refused, facts: { ffmpeg: programs?.version ?? null, sandbox: level, refused } };
  };
  let programs: Programs;
  try {
    programs = await findPrograms(environment);
  } catch (error) {
    if (error instanceof NoPrograms) return refusing(error.message);
    throw error;
  }
  const sandbox = await Sandbox.open({ programs, clock, folder, ...tried });
  if (!sandbox) return refusing(`ffmpeg ${programs.version} does not run here`, programs);
  const { level, wall } = sandbox;
  if (strict && level !== 'full') return refusing(`the sandbox is to be strict, and this machine allows no more than "${level}"`, programs, level);
  const told = { ffmpeg: programs.version, sandbox: level, wall };
  if (level === 'full') log.info(told, `The sandbox is full: ${meanings.full}.`);
  else log.warn(told, `The sandbox is "${level}": ${meanings[level]}. See "The sandbox" in docs/operating.md.`);
  return { sandbox, facts: { ffmpeg: programs.version, sandbox: level, refused: null } };
};
