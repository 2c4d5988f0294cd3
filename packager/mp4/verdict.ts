/** What is said of the tracks of a file: shown as they are, or why not. docs/standard-input.md tells people the same. */
import type { MovieTrack } from './movie.ts';

export type ReasonCode =
  /** Another codec, or a configuration that cannot be read or that changes on the way. */
  | 'codec'
  /** Other pixels than players take everywhere: 4:2:0 of eight bits, in HEVC also of ten. */
  | 'pixels'
  | 'picture-size'
  /** Lengths of NAL units in fewer than four bytes. */
  | 'nal-lengths'
  /** Parameter sets inside of the pictures that are not those of the header. */
  | 'parameters-change'
  /** What is shown does not begin with a key frame. */
  | 'begins-inside'
  | 'key-interval'
  | 'gop-size'
  /** Pictures that are shown before the key frame ahead of them, or after the next one. */
  | 'open-gop'
  /** A key frame that decoding cannot start at. */
  | 'not-idr'
  | 'edit-list'
  | 'aac-profile'
  /** Silence that is not in the sound but between its frames. */
  | 'sound-gaps';

export type Reason = { readonly code: ReasonCode; readonly message: string };

export type TrackVerdict = {
  readonly id: number;
  readonly kind: MovieTrack['kind'];
  /**
   * `standard`: shown as it is. `carried`: HEVC, as it is for players that have it and beside an H.264 rung for the others.
   * `encode`: has to be encoded, for the reasons given. `none`: nothing to see or to hear.
   */
  readonly use: 'standard' | 'carried' | 'encode' | 'none';
  readonly reasons: readonly Reason[];
};

export type Verdict = {
  /** In the order of the file. */
  readonly tracks: readonly TrackVerdict[];
  /** False: some of the key frames that were to be looked at have not arrived. Asked again, the verdict may be another. */
  readonly final: boolean;
};
