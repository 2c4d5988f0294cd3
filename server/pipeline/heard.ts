/**
 * What videos tell that concerns what is made behind them. An event is over when that is noted, not when it is planned:
 * events go out one at a time, and whoever revokes a key does not wait until somebody's film has been read.
 */
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { Pipelines } from './types.ts';

export const hearVideos = (events: EventDispatcher, pipelines: Pick<Pipelines, 'again'>): void => {
  // What live could not carry is made of the recording.
  events.subscribe('video.ended', ({ videoId, state }) => state === 'ready' && pipelines.again(videoId));
  // What was ready at once has pictures and texts to come.
  events.subscribe('video.ready', ({ videoId }) => pipelines.again(videoId));
  // Pictures of what has been cut away are not shown any more.
  events.subscribe('video.updated', ({ videoId, changed }) => changed.some((field) => field === 'cutInMs' || field === 'cutOutMs') && pipelines.again(videoId));
};
