/** The pipeline as the rest of the server sees it: everything that is made behind a video that plays already. */
import type { TrackLogReader } from '../../packager/log/types.ts';
import type { VideoWithTracks } from '../catalog/videos.ts';
import type { Progress } from '../intake/types.ts';

export interface Pipelines {
  /** Asked of a video that is whole this moment: whether tracks are made behind it, so that it is only `playable`. Never throws. */
  makesTracks(open: OpenVideo): boolean;
  /** As above, of one that has to be opened first. Where that fails there may be, and it is said when it is planned. */
  hasMore(found: VideoWithTracks): Promise<boolean>;
  /** It is whole and its best picture plays: what belongs behind it is planned. Takes no time, never throws. */
  playable(video: string): void;
  /** Somebody has asked for it: rungs that waited for that are planned. Takes no time, never throws. */
  want(video: string): void;
  /** What it shows is another, or it is there now: noted when this resolves, and planned soon, by the next process if need be. May be told twice. */
  again(video: string): Promise<void>;
  /** Tracks of it have come off its list: whoever comes now sees the others, and their files go when nobody reads them. */
  shorter(video: string): void;
  /** Its jobs were put back: the reason why there was not more of it is taken away. */
  retried(video: string): void;
  /** How far its tracks are; null: none are made. */
  progress(video: string): Progress | null;
  /** It is gone: its jobs go, what runs is stopped, and nobody writes to its folder when this resolves. */
  dropped(video: string): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A video whose tracks are open. `readers`: by the ids of the tracks. */
export type OpenVideo = { readonly found: VideoWithTracks; readonly readers: ReadonlyMap<string, Pick<TrackLogReader, 'snapshot'>> };

/** What those who bring a video to its first picture need of it. */
export type Behind = Pick<Pipelines, 'playable' | 'makesTracks' | 'hasMore' | 'progress'>;
