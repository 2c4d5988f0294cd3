/**
 * An MP4 or MOV as its sample tables tell it: what the index is made of, and all that anybody needs to cut fragments
 * out of the file without reading it. Times are ticks of the track's own timescale, places are bytes of the file.
 */

/** Bytes by their place: a file, or one that is still arriving. */
export interface RangeSource {
  /** Of the whole file, also while only some of it is there. */
  readonly size: number;
  /** Exactly so many bytes; rejects with an Mp4Error `truncated` beyond the end, `not-yet` where they have not arrived. */
  read(offset: number, length: number): Promise<Buffer>;
}

export type Mp4ErrorCode =
  /** No MP4 at all. */
  | 'not-mp4'
  /** The file ends before its index or its media does. */
  | 'truncated'
  /** These bytes have not arrived. */
  | 'not-yet'
  /** The boxes contradict each other or themselves. */
  | 'invalid'
  /** Understood, and not carried: compressed headers, external data, samples of several descriptions, … */
  | 'unsupported'
  /** More boxes, tracks, samples or bytes than are taken. */
  | 'limit'
  /** Encrypted media (`encv`, `enca`, `drms`). */
  | 'encrypted';

export class Mp4Error extends Error {
  override readonly name = 'Mp4Error';
  readonly code: Mp4ErrorCode;
  constructor(code: Mp4ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Some consecutive samples, in decoding order, one entry each in every array. */
export type SampleRows = {
  readonly count: number;
  readonly offset: Float64Array;
  readonly size: Uint32Array;
  /** Decode time and composition offset as the file says, before the edit list. */
  readonly dts: Float64Array;
  readonly cts: Int32Array;
  readonly duration: Uint32Array;
  readonly key: Uint8Array;
};

/** Compact: kept as runs and typed arrays, a few bytes a sample. Never grows. */
export interface SampleTable {
  readonly count: number;
  /** Ticks from the first sample's decode time to the end of the last one. */
  readonly duration: number;
  /** Samples that decoding can start at, rising; null: all of them. */
  readonly keys: Uint32Array | null;
  /** Memory held. */
  readonly weight: number;
  /** Samples [from, to). */
  rows(from: number, to: number): SampleRows;
}

/** The edit list, as far as it is a delay and a piece: everything else has no place in one timeline. */
export type Edit =
  | {
      readonly kind: 'plain';
      /** Empty time ahead of the first sample shown. */
      readonly delay: number;
      /** What is shown begins at this composition time: what lies before (priming, reorder delay) is not shown. */
      readonly from: number;
      /** Ticks shown; null: to the end. */
      readonly length: number | null;
    }
  | { readonly kind: 'complex'; readonly why: string };

type Common = {
  /** track_ID of the file. */
  readonly id: number;
  /** Of the sample entry: `avc1`, `hvc1`, `mp4a`, `ac-3`, `tx3g`, …. */
  readonly fourcc: string;
  readonly timescale: number;
  /** BCP 47, `und` when the file does not say. */
  readonly language: string;
  /** What the file calls the track, for people; null: nothing. */
  readonly name: string | null;
  readonly enabled: boolean;
  readonly edit: Edit;
  readonly samples: SampleTable;
};

export type MovieVideo = Common & {
  readonly kind: 'video';
  /** `other`: known by its fourcc alone. */
  readonly codec: 'h264' | 'hevc' | 'other';
  /** avcC or hvcC, as an init segment carries it; empty for `other`. */
  readonly config: Buffer;
  /** As coded, after cropping. */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise that the picture is turned by when it is shown; other matrices are none. */
  readonly rotation: 0 | 90 | 180 | 270;
  readonly pixelAspect: { readonly width: number; readonly height: number } | null;
  readonly colour: { readonly primaries: number; readonly transfer: number; readonly matrix: number; readonly fullRange: boolean } | null;
};

export type MovieAudio = Common & {
  readonly kind: 'audio';
  readonly codec: 'aac' | 'other';
  /** AudioSpecificConfig; empty for `other`. */
  readonly config: Buffer;
  readonly sampleRate: number;
  readonly channels: number;
};

/** Subtitles, chapters, time code, hints, data: named, and not read. */
export type MovieOther = Common & { readonly kind: 'text' | 'other' };

export type MovieTrack = MovieVideo | MovieAudio | MovieOther;

export type Movie = {
  /** Boxes moof and mdat in the place of one moov. */
  readonly fragmented: boolean;
  readonly tracks: readonly MovieTrack[];
  /** Memory held by all sample tables. */
  readonly weight: number;
};
