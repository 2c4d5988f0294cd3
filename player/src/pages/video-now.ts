/** What becomes of videos, followed by pages that show them. */
import { useEffect, useState } from 'preact/hooks';
import { followVideo } from '../api/follow-browser.ts';
import type { VideoNow } from '../api/follow-video.ts';
import type { Video } from '../api/types.ts';

/** Something will still happen to it by itself. */
export const isUnderWay = ({ state, upload }: Pick<Video, 'state' | 'upload'>): boolean =>
  state === 'uploading' || state === 'processing' || state === 'playable' || Boolean(upload);

/** As many as one connection may have, with room for the uploads of this tab. */
const mostFollowed = 40;

/** What was heard of each since it is followed. */
export const useVideosNow = (ids: readonly string[]): ReadonlyMap<string, VideoNow> => {
  const [heard, setHeard] = useState<ReadonlyMap<string, VideoNow>>(new Map());
  const followed = ids.slice(0, mostFollowed).join(' ');
  useEffect(() => {
    const stops = (followed === '' ? [] : followed.split(' ')).map((id) =>
      followVideo(id, (now) => setHeard((before) => new Map(before).set(id, now))),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }, [followed]);
  return heard;
};

/** The newer of what was loaded and what was heard. How long all of a trimmed one is its owner alone is told; what is heard is for everybody. */
export const withNow = (video: Video, now: VideoNow | undefined): Video => (now ? { ...video, ...now, ...(video.trim ? { duration: video.duration } : {}) } : video);

/** Null: not followed, or nothing was heard yet. */
export const useVideoNow = (id: string | null): VideoNow | null => {
  const [heard, setHeard] = useState<{ id: string; now: VideoNow } | null>(null);
  useEffect(() => (id === null ? undefined : followVideo(id, (now) => setHeard({ id, now }))), [id]);
  return heard && heard.id === id ? heard.now : null;
};
