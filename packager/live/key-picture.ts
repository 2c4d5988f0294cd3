/** The newest key picture of a show, kept as it came: what a picture of the show is made of, for whoever wants one. */
import type { VideoConfig } from '../media/unit.ts';

/** Another object for another picture. */
export type KeyPicture = {
  readonly config: VideoConfig;
  /** As a sample of an MP4 has it. */
  readonly data: Buffer;
};
