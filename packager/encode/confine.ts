/**
 * The command lines that put a program behind walls, level by level. Pure: which level this machine allows is tried out
 * in `sandbox.ts`.
 *
 *     full        user, network, process, mount namespaces of its own; a root that holds the system's programs
 *                 (read-only) and the folder of the job, and nothing else of this machine
 *     no-network  the same without a root of its own: it could read what the server may read, and tell nobody
 *     limits      memory, time, files are limited
 *     bare        nothing but the list of arguments and the wall clock: no Linux, or none of its tools
 */
import { fileURLToPath } from 'node:url';

export type SandboxLevel = 'full' | 'no-network' | 'limits' | 'bare';

/** How `full` is reached: by bubblewrap, or by what util-linux has. */
export type Wall = 'bwrap' | 'unshare' | 'no-network' | 'limits' | 'bare';
/** The best first. */
export const walls: readonly Wall[] = ['bwrap', 'unshare', 'no-network', 'limits', 'bare'];
export const levelOf = (wall: Wall): SandboxLevel => (wall === 'bwrap' || wall === 'unshare' ? 'full' : wall);

/** Programs that the walls are made of, by their places; what this machine lacks is absent. */
export type Mason = { readonly [name in MasonName]?: string };
export const masonNames = ['bwrap', 'unshare', 'setpriv', 'prlimit', 'nice', 'ionice', 'sh'] as const;
export type MasonName = (typeof masonNames)[number];

/** What one run may take at the most; the kernel sees to it. */
export type Limits = {
  readonly memoryBytes: number;
  /** Null: for as long as it is wanted. */
  readonly cpuSeconds: number | null;
  /** Of any one file that it writes. */
  readonly fileBytes: number;
};

export type Confined = {
  readonly program: string;
  readonly args: readonly string[];
  /** Folders of programs that may lie outside the system's own. */
  readonly homes: readonly string[];
  /** Where it works and writes: all that it sees of the data. */
  readonly folder: string;
  /** An empty folder, for a root to be made in. */
  readonly root: string;
  /** A name in the folder that it may read and not write; null: none. */
  readonly input: string | null;
  readonly limits: Limits;
  readonly manners: Manners;
};

/** None; others on this machine come first; and what is live comes before it too. */
export type Manners = 'none' | 'gentle' | 'behind-live';

export type Command = { readonly file: string; readonly args: readonly string[]; readonly cwd: string; readonly env: Readonly<Record<string, string>> };

const openFiles = 64;
/**
 * The kernel says every second of work beyond the limit that it is enough (SIGXCPU), and kills what is not over by now. ffmpeg
 * ends by itself when it has heard it, and when it has heard it four times, however deep it is in something.
 */
const cpuGrace = 4;
/** Threads count. Only where the count is of the sandbox alone: elsewhere everything that the user runs counts with it. */
const processes = 512;
/** Programs and libraries, and where the loader looks them up. */
const places = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc/alternatives', '/etc/ld.so.cache', '/etc/ld-musl-x86_64.path', '/nix/store', '/gnu/store'];
const enterScript = fileURLToPath(new URL('enter.sh', import.meta.url));
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Nothing of the server's own: it holds passwords. Two arenas, since each thread's own would count as memory. */
const inside = { LC_ALL: 'C', HOME: '/', PATH: path, MALLOC_ARENA_MAX: '2' };
/** The first process of a namespace ignores signals, and some versions of `unshare` do not say which one it died of: the program is its second. */
const waits = '"$@"; exit $?';
const namespaces = ['--user', '--map-root-user', '--net', '--ipc', '--uts', '--pid', '--fork', '--kill-child'];

/** Null: this machine lacks the tools for it. */
export const confine = (wall: Wall, mason: Mason, run: Confined): Command | null => {
  const words = wallOf(wall, mason, run);
  if (!words) return null;
  const [file, ...args] = [...prefix(wall, mason, run.manners), ...words];
  return file === undefined ? null : { file, args, cwd: run.folder, env: inside };
};

const wallOf = (wall: Wall, { bwrap, unshare, setpriv, prlimit, sh }: Mason, run: Confined): string[] | null => {
  const { program, args, homes, folder, root, input, limits } = run;
  const plain = [program, ...args];
  if (wall === 'bare') return plain;
  if (prlimit === undefined) return null;
  if (wall === 'limits') return limited(prlimit, limits, null, setpriv ? [setpriv, '--no-new-privs', '--', ...plain] : plain);
  const held = limited(prlimit, limits, processes, plain);
  const shown = [...places, ...homes.filter((home) => !isShown(home))];
  if (wall === 'bwrap') {
    if (bwrap === undefined) return null;
    return [
      ...[bwrap, '--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
      ...shown.flatMap((place) => ['--ro-bind-try', place, place]),
      ...['null', 'zero', 'urandom'].flatMap((name) => ['--dev-bind', `/dev/${name}`, `/dev/${name}`]),
      ...['--bind', folder, '/job'],
      ...(input === null ? [] : ['--ro-bind', `${folder}/${input}`, `/job/${input}`]),
      ...['--remount-ro', '/', '--chdir', '/job', '--', ...held],
    ];
  }
  if (unshare === undefined || setpriv === undefined || sh === undefined) return null;
  const harmless = [setpriv, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--', sh, '-c', waits, 'sh', ...held];
  if (wall === 'no-network') return [unshare, ...namespaces, '--', ...harmless];
  return [unshare, ...namespaces, '--mount', '--', sh, enterScript, root, folder, input ?? '', shown.join('\n'), ...harmless];
};

/**
 * Behind live, but not far: a machine that always has something to do must not keep anybody's upload waiting for ever, as it
 * would at the very end.
 */
const niceness: { readonly [manners in Manners]: string | null } = { none: null, gentle: '10', 'behind-live': '12' };
/** Best effort, the last of it; when nobody else uses the disk. */
const diskClass: { readonly [manners in Manners]: readonly string[] } = { none: [], gentle: ['-c', '2', '-n', '7'], 'behind-live': ['-c', '3'] };

/** Dies with the server, and gives way to it. */
const prefix = (wall: Wall, { setpriv, nice, ionice }: Mason, manners: Manners): string[] => {
  const least = niceness[manners];
  return [
    ...(setpriv && wall !== 'bare' ? [setpriv, '--pdeathsig', 'KILL', '--'] : []),
    ...(nice && least !== null ? [nice, '-n', least] : []),
    ...(ionice && manners !== 'none' && wall !== 'bare' ? [ionice, ...diskClass[manners]] : []),
  ];
};

const limited = (prlimit: string, { memoryBytes, cpuSeconds, fileBytes }: Limits, count: number | null, command: readonly string[]): string[] => [
  ...[prlimit, '--core=0', `--as=${memoryBytes}`, `--fsize=${fileBytes}`, `--nofile=${openFiles}`],
  ...(cpuSeconds === null ? [] : [`--cpu=${cpuSeconds}:${cpuSeconds + cpuGrace}`]),
  ...(count === null ? [] : [`--nproc=${count}`]),
  ...['--', ...command],
];

const isShown = (folder: string): boolean => places.some((place) => folder === place || folder.startsWith(`${place}/`));
