/** `millrace worker`: a process that does jobs for the server on this machine, until it is told to stop. */
import { hostname, setPriority } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../packager/clock.ts';
import { findPrograms, NoPrograms } from '../../packager/encode/programs.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { EXIT } from '../cli-failure.ts';
import type { Config } from '../config/settings.ts';
import { openWorkshop } from '../intake/workshop.ts';
import { workerClasses } from '../jobs/crew.ts';
import { coresHere } from '../ladders/cores.ts';
import type { ServerLog } from '../log.ts';
import { version } from '../version.ts';
import { Refused } from '../workers/desk-line.ts';
import { workerHandlers } from '../workers/handlers.ts';
import { PathTooLong } from '../workers/socket-place.ts';
import { Worker } from '../workers/worker.ts';

export type WorkerWords = { readonly name: string | undefined; readonly slots: string | undefined };

/** Why it ended, for the operator; null: it was told to. */
type End = { readonly code: number; readonly sentence: string } | null;

const mostSlots = 64;
const nameShape = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** Its own reading and writing gives way to the server, too. */
const niceness = 10;

/** Resolves with why it ended. `stopped`: when it is to end. */
export const runWorker = async (config: Config, { name = usualName(), slots: wanted }: WorkerWords, log: ServerLog, stopped: Promise<void>): Promise<End> => {
  const slots = wanted === undefined ? Math.min(mostSlots, Math.max(1, Math.floor(coresHere()))) : Number(wanted);
  if (!nameShape.test(name)) return { code: EXIT.usage, sentence: 'The name of a worker consists of up to 64 letters, digits and . _ @ -' };
  if (!Number.isInteger(slots) || slots < 1 || slots > mostSlots) return { code: EXIT.usage, sentence: `--slots takes a whole number from 1 to ${mostSlots}.` };
  setPriority(niceness);
  try {
    const { version: ffmpeg } = await findPrograms();
    const worker = new Worker({
      ...{ data: config.data, name, slots, version, ffmpeg, classes: workerClasses, clock: systemClock, log },
      async handlers(folder) {
        const { sandbox } = await openWorkshop({ folder, clock: systemClock, log, strict: config.sandbox === 'strict', gentle: config['encode.gentle'] });
        if (typeof sandbox === 'string') throw new Refused(`Nothing can be converted here: ${sandbox}.`, true);
        return workerHandlers({ clock: systemClock, log, disk: nodeDisk, folder: join(config.data, 'videos'), sandbox: Promise.resolve(sandbox.behindLive) });
      },
    });
    void stopped.then(() => worker.stop());
    await worker.run();
    return null;
  } catch (error) {
    return endOf(error, config.data);
  }
};

const usualName = (): string => `${hostname().replaceAll(/[^A-Za-z0-9.-]/g, '').replace(/^[.-]+/, '').slice(0, 40) || 'worker'}-${process.pid}`;

const endOf = (error: unknown, data: string): End => {
  if (error instanceof NoPrograms) return { code: EXIT.config, sentence: `A worker can do nothing here: ${error.message}.` };
  if (error instanceof Refused || error instanceof PathTooLong) return { code: EXIT.config, sentence: error.message };
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EACCES' || code === 'EPERM') return { code: EXIT.config, sentence: `The server's socket in ${data} is of another user: a worker runs as the same one.` };
  throw error;
};
