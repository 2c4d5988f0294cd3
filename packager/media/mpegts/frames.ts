/** What stands in front of a frame of sound is read by one function for each framing; this is what they have in common. */

export type SoundFrame = { readonly config: Buffer; readonly sampleRate: number; readonly frameLength: number; readonly data: Buffer };

/** What stands at a place: frames and how many bytes they take, nothing that can be read, or too little of it. */
export type Framing = { readonly size: number; readonly frames: readonly SoundFrame[] } | 'more' | 'garbage';
export type FrameReader = (bytes: Buffer, at: number) => Framing;
