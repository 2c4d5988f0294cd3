/** The command line: `npm run millrace -- COMMAND`, `millrace COMMAND` in the container. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '../packager/clock.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import { startServer } from './app.ts';
import { adminReset } from './auth/admin-reset.ts';
import { checkHealth } from './commands/health.ts';
import { checkStorage } from './commands/fsck.ts';
import { runWorker, type WorkerWords } from './commands/worker.ts';
import { ConfigError, loadConfig, type Loaded } from './config/load.ts';
import { EXIT, failureOf } from './cli-failure.ts';
import { createLog } from './log.ts';
import { linkBanner } from './banner.ts';
import { version } from './version.ts';

const USAGE = `millrace ${version}

  millrace serve [--demo]      runs the server; --demo adds a channel with a test picture
  millrace worker              encodes for the server that runs here, in a process of its own (--name, --slots)
  millrace admin reset         prints a one-time link that sets a new password for the admin
  millrace fsck [--deep]       compares the media on the disk with the catalog; changes nothing
  millrace health              asks the running server whether it is ready
  millrace version

  --config FILE                settings from a YAML file (or MILLRACE_CONFIG); see conf/default.yaml
`;

const options = { config: { type: 'string' }, demo: { type: 'boolean' }, deep: { type: 'boolean' }, name: { type: 'string' }, slots: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;

const fail = (code: number, message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(code);
};

const load = (file: string | undefined): Loaded => {
  try {
    return loadConfig(file ?? process.env['MILLRACE_CONFIG'] ?? null, process.env);
  } catch (error) {
    if (error instanceof ConfigError) return fail(EXIT.config, error.message);
    throw error;
  }
};

/** Under npm, Ctrl-C arrives twice: once from the terminal and once from npm. That is one wish. */
const SAME_WISH_MS = 1_000;

/** A stop that takes longer than this hangs: whatever was acknowledged is safe from a kill. */
const LONGEST_STOP_MS = 10_000;

const serve = async ({ config, warnings }: Loaded, demo: boolean): Promise<void> => {
  const log = createLog(config['log.level']);
  for (const warning of warnings) log.warn(warning);
  const give = (code: number) => (error: unknown): void => {
    log.fatal({ err: error }, 'The server cannot go on.');
    process.exit(code);
  };
  // A bug that reaches the top has left the process in a state that nobody knows.
  process.on('uncaughtException', give(EXIT.software));
  process.on('unhandledRejection', give(EXIT.software));
  const starting = startServer({ config, log, demo, fatal: give(EXIT.software) });
  let stoppingSince: number | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    if (stoppingSince !== null) {
      if (signal === 'SIGINT' && performance.now() - stoppingSince < SAME_WISH_MS) return;
      process.exit(128 + (signal === 'SIGINT' ? 2 : 15)); // The second one is now.
    }
    stoppingSince = performance.now();
    log.info({ signal }, 'Stopping.');
    setTimeout(() => give(EXIT.software)(new Error('Stopping took too long.')), LONGEST_STOP_MS).unref();
    starting.then((server) => server.stop()).then(() => process.exit(0), give(EXIT.software));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    const { banner } = await starting;
    process.stdout.write(banner);
  } catch (error) {
    const failure = failureOf(error, config.data);
    log.fatal(failure ? { why: failure.sentence } : { err: error }, 'The server could not start.');
    fail(failure?.code ?? EXIT.software, failure?.sentence ?? (error instanceof Error ? error.message : String(error)));
  }
};

const work = async ({ config, warnings }: Loaded, words: WorkerWords): Promise<void> => {
  const log = createLog(config['log.level']);
  for (const warning of warnings) log.warn(warning);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        setTimeout(() => process.exit(EXIT.software), LONGEST_STOP_MS).unref();
        resolve();
      });
    }
  });
  const end = await runWorker(config, words, log, stopped);
  if (end) fail(end.code, end.sentence);
  process.exit(0);
};

const main = async (): Promise<void> => {
  // The data folder holds password hashes, keys and private shows: nobody else on the machine may read it.
  process.umask(0o077);
  const { values, positionals } = parseArgs({ options, allowPositionals: true, strict: true });
  const command = positionals.join(' ');
  if (values.help || command === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  if (command === 'version') {
    process.stdout.write(`${version}\n`);
    return;
  }
  const loaded = load(values.config);
  const { config } = loaded;
  switch (command) {
    case 'serve':
      return serve(loaded, values.demo ?? false);
    case 'worker':
      return work(loaded, { name: values.name, slots: values.slots });
    case 'health':
      process.exitCode = await checkHealth(config['http.port']);
      return;
    case 'admin reset': {
      if (!existsSync(config.data)) fail(EXIT.usage, `There is no data folder at ${config.data}: start the server once first.`);
      const { token } = await adminReset(config.data, systemClock).catch((error: unknown) => {
        const failure = failureOf(error, config.data);
        if (failure) return fail(failure.code, failure.sentence);
        throw error;
      });
      const ports = { http: config['http.port'], https: config['https.port'] };
      process.stdout.write(linkBanner({ config, ports, names: [] }, token, 'Open this link within an hour to set a new password for the admin:'));
      return;
    }
    case 'fsck':
      process.exitCode = await checkStorage(config.data, values.deep ?? false, nodeDisk);
      return;
    default:
      fail(EXIT.usage, command === '' ? USAGE : `There is no command "${command}".\n\n${USAGE}`);
  }
};

try {
  await main();
} catch (error) {
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) fail(EXIT.usage, `${error.message}\n\n${USAGE}`);
  throw error;
}
