/**
 * Pictures of a video, on a page that may stay open longer than their addresses are good for: when one has failed that can have run
 * out, all of them are asked for anew. The record that the page has stays: nothing else of it is to change under whoever reads or writes.
 */
import { useRef, useState } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import { askedGrant } from '../api/head-start.ts';
import type { Pictures } from '../api/types.ts';
import { runsOut, versionOf } from '../lib/picture-address.ts';
import { useNowAndThen } from '../state/use.ts';

export type PicturesNow = {
  readonly pictures: Pictures | null;
  /** The picture of this address could not be loaded. */
  failed(address: string): void;
};

export const usePictures = (id: string, told: Pictures | null): PicturesNow => {
  const [renewed, setRenewed] = useState<{ readonly instead: Pictures | null; readonly pictures: Pictures | null } | null>(null);
  const ask = useNowAndThen(() => {
    api.video(id, askedGrant()).then(
      ({ pictures }) => setRenewed({ instead: told, pictures: pictures ?? null }),
      () => {}, // the video is away, or the line: the page learns of that elsewhere
    );
  });
  return {
    // A record that came later knows better.
    pictures: renewed !== null && renewed.instead === told ? renewed.pictures : told,
    failed(address) {
      if (runsOut(address)) ask();
    },
  };
};

/**
 * Of a private video each answer brings another grant: the picture that is there is not loaded again for it. `broken`: the address
 * that has failed, and that another of the same picture takes the place of.
 */
export const useSteady = (address: string | null, broken: string | null = null): string | null => {
  const kept = useRef(address);
  const same = kept.current !== null && address !== null && versionOf(kept.current) === versionOf(address);
  if (!same || kept.current === broken) kept.current = address;
  return kept.current;
};
