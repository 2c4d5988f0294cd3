/** What a page knows of its video: the record, what becomes of it, and where it plays as soon as it does. */
import { useEffect, useRef } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { askedGrant, askedPiece, take } from '../../api/head-start.ts';
import type { PlaybackAddress, Video } from '../../api/types.ts';
import { isGrowing, isRising } from '../../parts/video-state.tsx';
import { useEvery, useLoaded } from '../../state/use.ts';
import type { Loading } from '../../state/use.ts';
import { isUnderWay, useVideoNow, withNow } from '../video-now.ts';

export const plays = (video: Video): boolean =>
  video.state === 'live' || video.state === 'playable' || video.state === 'ready';

export type VideoParts = {
  readonly record: Loading<Video>;
  readonly address: Loading<PlaybackAddress>;
  /** The record, with what was heard since; null: not here, or not any more. */
  readonly video: Video | null;
};

/** The record and the playlist are asked for together: the first picture does not wait for the title. */
export const useVideo = (id: string): VideoParts => {
  const record = useLoaded(id, () => take(`video ${id}`, () => api.video(id, askedGrant())));
  const address = useLoaded(id, () => take(`play ${id}`, () => api.playVideo(id, askedPiece())));
  const loaded = record.now.is === 'here' ? record.now.value : null;
  const now = useVideoNow(loaded && isUnderWay(loaded) ? id : null);
  const video = loaded && withNow(loaded, now ?? undefined);
  const playable = video !== null && plays(video);
  const refused = address.now.is === 'failed';
  useEffect(() => {
    // A new state, or the last byte, brings a length, files to download, what may be done with it.
    if (loaded && now && (now.state !== loaded.state || (now.upload === null) !== !loaded.upload)) record.reload();
  }, [now?.state, now?.upload === null]);
  useEffect(() => {
    if (playable && refused) address.reload();
  }, [playable]);
  const growing = video !== null && isGrowing(video);
  /** Whole, and in the clear, it can be downloaded. What is being played stays: another grant would be another address. */
  const offerFiles = (playing: PlaybackAddress): void =>
    void api.playVideo(id, askedPiece()).then(
      ({ downloads = [] }) => address.replace({ ...playing, downloads }),
      () => {}, // it plays, and the next visit offers the files
    );
  const handedOver = video?.state === 'ready' || (video !== null && isRising(video));
  const grew = useRef(false);
  useEffect(() => {
    if (growing) grew.current = true;
    // Between its last byte and what becomes of it there is a moment without files.
    if (!handedOver || !grew.current || address.now.is !== 'here') return;
    grew.current = false;
    offerFiles(address.now.value);
  }, [growing, handedOver]);
  const protection = video?.protection;
  const known = useRef(protection);
  useEffect(() => {
    const changed = known.current !== undefined && protection !== undefined && known.current !== protection;
    known.current = protection ?? known.current;
    if (changed && address.now.is === 'here') offerFiles(address.now.value);
  }, [protection]);
  useEvery(4_000, () => {
    if (playable && refused) address.reload();
    if (video?.state === 'scheduled') record.reload();
  });
  useEvery(15_000, () => {
    // A show ends while it is watched: its record says so, and the address stays what is being played.
    if (video?.state === 'live') record.reload();
  });
  return { record, address, video };
};
