/**
 * Originals whose pictures and sounds can all be cut out of them as they are: they are played while they arrive, and are
 * ready the moment that they are whole.
 */
import type { Arriving } from './types.ts';

export interface Arrivals {
  /** More of it has landed. Called often, takes no time, never throws. */
  arrived(video: string, original: Arriving): void;
  /**
   * All of it is there. `taken`: it stands in the catalog as ready, there is nothing left to do. `not-standard`: somebody
   * else has to look at it, nothing has been changed. Idempotent.
   */
  whole(video: string): Promise<'taken' | 'not-standard'>;
  /** The video is gone: what is known of it is let go. */
  dropped(video: string): void;
}
