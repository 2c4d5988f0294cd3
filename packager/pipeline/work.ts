/**
 * What the jobs of a pipeline are told: all that a worker needs to know, so that it never has to ask the catalog. Paths
 * are relative to the folder of the video.
 */

/** Where access units are read from: a track of an uploaded MP4, or a track log. */
export type SourceTrack =
  | { readonly kind: 'original'; readonly path: string; readonly track: number }
  | { readonly kind: 'log'; readonly folder: string };

/** A rung, with everything of it that decides what its bytes are. */
export type RungWork = {
  /** The folder of its log in a chunk, and by which its chunks are found again: `720p`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly crf: number;
  /** Bits a second, at the most. */
  readonly maxRate: number;
  /** Of x264. */
  readonly preset: string;
  /** Of H.264, times ten. */
  readonly level: number;
};

/** What is done to the pictures before they are scaled. */
export type PictureTreatment = {
  readonly deinterlace: boolean;
  /** Of pictures with high dynamic range; null: colours stay what they are. */
  readonly toneMap: 'smpte2084' | 'arib-std-b67' | null;
};

/** An image that every picture carries. */
export type Watermark = {
  /** Within the folder of the video: a PNG that has been looked at. */
  readonly path: string;
  /** Of its bytes, for the content address. */
  readonly digest: string;
  readonly place: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right' | 'centre';
  /** 0 to 1. */
  readonly opacity: number;
};

/** Fragments [from, to) of one epoch of the source, whole intervals of the grid, become as many intervals of each rung. */
export type EncodeWork = {
  readonly video: string;
  readonly source: SourceTrack;
  /** Says which bytes the source has: another version is another input. */
  readonly version: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly rungs: readonly RungWork[];
  readonly treatment: PictureTreatment;
  readonly watermark: Watermark | null;
};

/** What all chunks of a task have in common. */
export type ChunkedWork = Omit<EncodeWork, 'epoch' | 'from' | 'to'>;
export type ChunkRange = Pick<EncodeWork, 'epoch' | 'from' | 'to'>;

/** What was made of the chunks of one rung is put together, and takes its place in the list of tracks. */
export type JoinWork = {
  readonly video: string;
  readonly rung: RungWork;
  /** The name of the track, and of its folder. */
  readonly track: string;
  /** With it and a range, the address of a chunk is known. */
  readonly work: ChunkedWork;
  /** In order; together they are all of the source. */
  readonly chunks: readonly ChunkRange[];
  /** The track whose pictures these are. */
  readonly beside: string;
  /** It can be made again from the source: where that is wanted, it goes when nobody asks for the video. */
  readonly isSpare: boolean;
  /** Of the chunks: what is made anew of them waits like them. */
  readonly priority: number;
  /** Tracks that come off the list when this one is on it. */
  readonly replaces: readonly string[];
};

/** What a track of sound becomes: AAC-LC. */
export type SoundMake = {
  readonly channels: 1 | 2 | 6;
  readonly sampleRate: number;
  readonly bitRate: number;
};

/** How the sound of an original is cut and dated: as its video is, whoever does the work. */
export type SoundPlace = {
  /** The track that its segments are those of; null: it leads itself. */
  readonly lead: SourceTrack | null;
  /** Of the video's run. */
  readonly run: string;
  readonly wallClock: number;
};

/** A whole track of sound, in one job. */
export type TrackSoundWork = {
  readonly video: string;
  readonly source: SourceTrack;
  readonly place: SoundPlace;
  readonly version: string;
  readonly make: SoundMake;
};

/** It takes the place of the source's. */
export type ListSoundWork = {
  readonly video: string;
  /** The unique key of the job that made it. */
  readonly of: string;
  /** The name of the new track, and of its folder. */
  readonly track: string;
  /** Whose place it takes, with its language and its name. */
  readonly replaces: string;
};

/** Small pictures, side by side, for whoever looks for a place. */
export type StoryboardWork = {
  readonly kind: 'storyboard';
  /** Seconds between them; null: as many as go with how long it is. */
  readonly every: number | null;
  readonly columns: number;
  readonly rows: number;
  /** Of one of them. */
  readonly width: number;
};
/** To choose a poster from. */
export type PostersWork = { readonly kind: 'posters'; readonly count: number };
/** A little of it that moves. */
export type PreviewWork = { readonly kind: 'preview'; readonly seconds: number };

/**
 * Pictures made of a video, into files of its folder `pictures`. The result of the job is what the catalog is to be told: a job
 * of the kind `keep-pictures`, class `light`, that needs this one does so.
 */
export type PicturesWork = (StoryboardWork | PostersWork | PreviewWork) & {
  readonly video: string;
  /** The lowest rung, where there is one. */
  readonly source: SourceTrack;
  /** Posters are taken out of this one; null: there is no better one. */
  readonly best: SourceTrack | null;
  /** What of the video is shown, ms; null: from its beginning, to its end. */
  readonly inMs: number | null;
  readonly outMs: number | null;
};

/** `of`: the unique key of the job that made them. */
export type KeepPicturesWork = { readonly video: string; readonly of: string };

/** Chapters and subtitles of an original. */
export type TextsWork = { readonly video: string };

/** An operator's image becomes one of the video's own files, looked at and made anew, before it is put on pictures. */
export type WatermarkWork = {
  readonly video: string;
  /** `path`: absolute, where the operator keeps it. `digest`: of its bytes when the server started. */
  readonly image: { readonly path: string; readonly digest: string };
  /** Within the folder of the video: what `Watermark.path` names. */
  readonly path: string;
};
