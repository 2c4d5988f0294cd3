/** What workers can do: all that asks no catalog. The server's own crew does it in the same way. */
import type { RunnerOptions } from '../jobs/runner.ts';
import { pictureHandlers } from '../pictures/handlers.ts';
import type { WorkTools } from '../pipeline/ground.ts';
import { workHandlers } from '../pipeline/handlers.ts';

export type WorkerHandlers = RunnerOptions['handlers'];

export const workerHandlers = (tools: WorkTools): WorkerHandlers => ({
  ...workHandlers(tools),
  ...pictureHandlers({ ...tools, videos: tools.folder }),
});
