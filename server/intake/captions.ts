/**
 * The job that takes the subtitles out of an original, when it can be played: they become captions as if its owner had
 * given them as files. Whatever goes wrong with them, the video stays what it is: its owner can give them himself. What may
 * go better another time is tried again.
 */
import type { TextStream } from '../../packager/encode/inspection.ts';
import { EncodeError, takeCaptions } from '../../packager/encode/runs.ts';
import { largestWebVtt, parseWebVtt, WebVttError, type WebVtt } from '../../packager/text/webvtt.ts';
import { JobFault, type JobHandler } from '../jobs/runner.ts';
import { failing, IntakeFault } from './failures.ts';
import type { CaptionsPayload, ShopTools } from './ground.ts';
import { mustSandbox } from './inspect.ts';
import { originalPath } from './originals.ts';
import { placeWith } from './place.ts';

/** Players write it between quotation marks. */
const nameOf = ({ name, language }: TextStream): string | null => (name === null ? (language === 'und' ? 'CC' : null) : name.replaceAll('"', '’').slice(0, 100));

export const captionsHandler = (tools: ShopTools): JobHandler => async (job, { signal, folder }) => {
  const { catalog, captions, log } = tools;
  const { video, container, texts } = job.payload as CaptionsPayload;
  const row = await catalog.videos.get(video);
  if (row?.state !== 'playable' && row?.state !== 'ready') return;
  try {
    const sandbox = await mustSandbox(tools);
    const place = await placeWith(tools, folder, originalPath(tools.folder, video));
    const taken = await takeCaptions({ sandbox, place, container, signal }, texts, largestWebVtt);
    for (const [at, text] of taken.entries()) {
      const stream = texts[at];
      const vtt = text === null ? null : readOrNull(text);
      if (!stream || !vtt) continue;
      // Somebody was quicker, and meant it.
      if ((await captions.list(video)).some(({ language }) => language === stream.language)) continue;
      const outcome = await captions.put(video, stream.language, nameOf(stream), vtt);
      if (outcome === 'no-room') throw new IntakeFault(failing('no-room'), true);
      if (outcome !== 'put') log.info({ video, language: stream.language, outcome }, 'Subtitles of an original were not taken over.');
    }
  } catch (error) {
    const isOver = (error instanceof EncodeError || error instanceof JobFault) && !error.recoverable;
    if (signal.aborted || !isOver) throw error;
    log.warn({ video, err: error }, 'The subtitles of an original could not be taken out of it.');
  }
};

const readOrNull = (text: string): WebVtt | null => {
  try {
    const parsed = parseWebVtt(text);
    return parsed.cues.length > 0 ? parsed : null;
  } catch (error) {
    if (error instanceof WebVttError) return null;
    throw error;
  }
};
