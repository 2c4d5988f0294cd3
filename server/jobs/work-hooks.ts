/** All who do jobs, here and in processes beside the server, as those see them who look after jobs. */
import { hostname } from 'node:os';
import type { Clock } from '../../packager/clock.ts';
import type { WorkHooks } from '../api/hooks.ts';
import type { ServerLog } from '../log.ts';
import type { WorkersDesk } from '../workers/desk.ts';
import type { Crew } from './crew.ts';

type Parts = {
  readonly crew: Pick<Crew, 'id' | 'classes' | 'running' | 'drop' | 'wake'>;
  /** Null: workers cannot come (yet). */
  readonly desk: () => Pick<WorkersDesk, 'workers' | 'drop' | 'wake'> | null;
  /** Of the crew. */
  readonly slots: number;
  readonly retried: (video: string) => void;
  /** Jobs of it were cancelled, and nobody works on them any more. */
  readonly cancelled: (video: string) => Promise<void>;
  readonly wanted: (video: string) => void;
  readonly clock: Clock;
  readonly log: Pick<ServerLog, 'error'>;
};

export const workHooks = ({ crew, desk, slots, retried, wanted, cancelled, clock, log }: Parts): WorkHooks => {
  const since = clock.wall();
  return {
    workers: () => [
      { id: crew.id, name: hostname(), here: true, pid: process.pid, classes: crew.classes, slots, since, running: crew.running },
      ...(desk()?.workers() ?? []).map(({ running, ...worker }) => ({ ...worker, here: false, running: running.map(({ job }) => job) })),
    ],
    cancelled: (which, videoId) => {
      const here = async (): Promise<void> => {
        await crew.drop(which);
        if (videoId !== null) await cancelled(videoId);
      };
      Promise.all([here(), desk()?.drop(which)]).catch((error: unknown) => log.error({ err: error }, 'A job that was cancelled could not be stopped at once.'));
    },
    retried: (videoId) => {
      if (videoId !== null) retried(videoId);
      crew.wake();
      desk()?.wake();
    },
    wanted,
  };
};
