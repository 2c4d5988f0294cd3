/** What becomes of a video: the topic `video:<id>`. */
import { api } from './endpoints.ts';
import { askedGrant } from './head-start.ts';
import type { Topic } from './topics.ts';
import { videoStates } from './types.ts';
import type { Progress, VideoError, VideoState } from './types.ts';

export type VideoNow = {
  readonly state: VideoState;
  /** Seconds. */
  readonly duration: number | null;
  readonly error: VideoError | null;
  readonly progress: Progress | null;
  /** Null: all of it is there. */
  readonly upload: { readonly received: number; readonly size: number } | null;
};

export const readVideo = (data: unknown): VideoNow | null => {
  if (typeof data !== 'object' || data === null) return null;
  const said = data as Partial<VideoNow>;
  if (said.state === undefined || !videoStates.includes(said.state)) return null;
  const { state, duration = null, error = null, progress = null, upload = null } = said;
  return { state, duration, error, progress, upload };
};

/** Nothing more will be said of it by itself. */
export const isSettled = (now: VideoNow): boolean => now.state === 'ready' || now.state === 'failed';

/** It can be watched, perhaps not all of it yet. */
export const isWatchable = (now: VideoNow): boolean => now.state === 'playable' || now.state === 'ready';

export const videoTopic = (id: string, tell: (now: VideoNow) => void): Topic<VideoNow> => ({
  name: `video:${id}`,
  read: readVideo,
  async poll() {
    try {
      return readVideo(await api.video(id, askedGrant()));
    } catch {
      return null; // the next poll asks again; the page keeps what it knew
    }
  },
  tell,
});
