/**
 * The sandbox: where ffmpeg and ffprobe read what strangers send. Which walls this machine allows is tried out once at
 * the start, by running the programs behind them; the best that held is used from then on.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.ts';
import { runChild, type ChildOptions, type Ran } from './child.ts';
import { confine, levelOf, masonNames, walls, type Command, type Limits, type Manners, type Mason, type SandboxLevel, type Wall } from './confine.ts';
import { findProgram, type Programs } from './programs.ts';

export type Confinement = {
  readonly program: 'ffmpeg' | 'ffprobe';
  readonly args: readonly string[];
  readonly place: JobPlace;
  readonly limits: Limits;
};
export type SandboxRun = Omit<ChildOptions, 'clock'> & Confinement;

/** The folder of a job: `work` is what programs see of it, `root` is where their root is made. */
export type JobPlace = { readonly folder: string; readonly work: string; readonly root: string };

/** What programs find the hostile file under: a name that we gave it, never its own. */
export const inputName = 'input';

export type SandboxOptions = {
  readonly programs: Programs;
  readonly clock: Clock;
  /** For trying out; it is there. */
  readonly folder: string;
  /** Where the walls' own programs are looked for. */
  readonly path?: string;
  /** Only these are tried; for tests. */
  readonly only?: readonly Wall[];
  /** False: programs do not give way to others of this machine; for tests, which share it with tests. */
  readonly gentle?: boolean;
};

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const tryLimits: Limits = { memoryBytes: 4 * 2 ** 30, cpuSeconds: 10, fileBytes: 1 << 20 };
const tryMs = 15_000;
/** It must not see the file that is named first; then it encodes two pictures, with threads, which is what has to work. */
const trial = 'if [ "$2" = full ] && [ -e "$1" ]; then exit 9; fi; shift 2; exec "$@"';
const trialEncode = ['-hide_banner', '-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'color=size=64x64:rate=2', '-frames:v', '2', '-c:v', 'libx264', '-threads', '2', '-f', 'mp4', 'file:trial.mp4'];

export const makeJobPlace = async (folder: string): Promise<JobPlace> => {
  const place = { folder, work: join(folder, 'work'), root: join(folder, 'root') };
  for (const one of [place.folder, place.work, place.root]) {
    await mkdir(one, { recursive: true, mode: 0o700 });
    await chmod(one, 0o700);
  }
  return place;
};

export class Sandbox {
  readonly level: SandboxLevel;
  readonly wall: Wall;
  readonly programs: Programs;
  readonly #mason: Mason;
  readonly #clock: Clock;
  readonly #manners: Manners;
  /** The same, for what may take hours: its programs give way to all others, to encoders of what is live too. */
  readonly behindLive: Sandbox;

  private constructor(options: SandboxOptions, mason: Mason, wall: Wall, manners: Manners = options.gentle === false ? 'none' : 'gentle') {
    const { programs, clock } = options;
    this.#manners = manners;
    this.behindLive = manners === 'gentle' ? new Sandbox(options, mason, wall, 'behind-live') : this;
    this.programs = programs;
    this.wall = wall;
    this.level = levelOf(wall);
    this.#mason = mason;
    this.#clock = clock;
  }

  /** Tries the walls, the best first. Null: not even bare does ffmpeg run. */
  static async open(options: SandboxOptions): Promise<Sandbox | null> {
    const mason = await findMason(options.path ?? systemPath);
    for (const wall of options.only ?? walls) {
      if (await holds(wall, mason, options)) return new Sandbox(options, mason, wall);
    }
    return null;
  }

  run({ program, args, place, limits, ...rest }: SandboxRun): Promise<Ran> {
    const command = this.#confine({ program, args, place, limits }, inputName);
    if (!command) return Promise.reject(new Error(`There are no tools for the sandbox ${this.wall}.`));
    return runChild(command, { clock: this.#clock, ...rest });
  }

  /** It reads what it is given on its standard input: there is no file. */
  async feed({ program, args, place, limits, ...rest }: SandboxRun & { readonly input: Buffer }): Promise<Ran> {
    return runChild(this.piped({ program, args, place, limits }), { clock: this.#clock, ...rest });
  }

  /** For one that is fed and heard over pipes: there is no file. Several may share a place, of which each sees only the folder. */
  piped(run: Confinement): Command {
    const command = this.#confine(run, null);
    if (!command) throw new Error(`There are no tools for the sandbox ${this.wall}.`);
    return command;
  }

  #confine({ program, args, place, limits }: Confinement, input: string | null): Command | null {
    return confine(this.wall, this.#mason, { program: this.programs[program], args, homes: homesOf(this.programs), folder: place.work, root: place.root, input, limits, manners: this.#manners });
  }
}

const homesOf = ({ ffmpeg, ffprobe }: Programs): string[] => [...new Set([dirname(ffmpeg), dirname(ffprobe)])];

const findMason = async (path: string): Promise<Mason> => {
  const found: { [name: string]: string } = {};
  for (const name of masonNames) {
    const file = await findProgram(name, path);
    if (file !== null) found[name] = file;
  }
  return found;
};

const holds = async (wall: Wall, mason: Mason, { programs, clock, folder }: SandboxOptions): Promise<boolean> => {
  const place = await makeJobPlace(join(folder, `trial-${wall}-${process.pid}`));
  try {
    const secret = join(place.folder, 'secret');
    await Promise.all([writeFile(secret, ''), writeFile(join(place.work, inputName), '')]);
    const { sh } = mason;
    const [program, args] = sh ? [sh, ['-c', trial, 'sh', secret, levelOf(wall), programs.ffmpeg, ...trialEncode]] : [programs.ffmpeg, trialEncode];
    const command = confine(wall, mason, { program, args, homes: homesOf(programs), folder: place.work, root: place.root, input: inputName, limits: tryLimits, manners: 'none' });
    if (!command) return false;
    const { code } = await runChild(command, { clock, wallMs: tryMs }).catch(() => ({ code: null }));
    return code === 0;
  } finally {
    await rm(place.folder, { recursive: true, force: true });
  }
};
