/**
 * The work that needs no catalog, so that any process on this machine can do it: all that it is told stands in its job. What it
 * makes lies below `work` in the folder of the video, under a name that says what it is, until somebody lists it.
 */
import { EncodeError } from '../../packager/encode/runs.ts';
import { encodeChunk, isSaid } from '../../packager/encode/vod/chunk.ts';
import type { EncodeWork } from '../../packager/pipeline/work.ts';
import { failureOf, reasonOf, withPatience } from '../intake/failures.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { benchOf, type WorkTools } from './ground.ts';
import { soundHandler } from './sounds.ts';
import { watermarkHandler } from './watermarks.ts';

export const workHandlers = (tools: WorkTools): { readonly [kind in 'encode' | 'sound' | 'watermark']: JobHandler } => ({
  encode: withPatience(encodeHandler(tools)),
  sound: withPatience(soundHandler(tools)),
  watermark: withPatience(watermarkHandler(tools)),
});

const encodeHandler =
  (tools: WorkTools): JobHandler =>
  async ({ payload, reason }, context) => {
    const work = payload as EncodeWork;
    const { address, lost, holes } = await encodeChunk(await benchOf(tools, work.video, context), work).catch((error: unknown) => {
      // What ffmpeg says twice it says every time, and each takes as long as the first. A machine without memory may have some the next time.
      if (error instanceof EncodeError && isSaid(error) && reason === reasonOf(failureOf(error))) throw new EncodeError(error.code, error.message, false, { cause: error });
      throw error;
    });
    if (lost > 0) tools.log.warn({ video: work.video, from: work.from, to: work.to, lost }, 'Pictures of a video are damaged: its rungs show the ones before them for longer.');
    if (holes > 0) tools.log.warn({ video: work.video, from: work.from, to: work.to, holes }, 'Segments of a video are damaged on the disk: its rungs have holes there.');
    return { address };
  };
