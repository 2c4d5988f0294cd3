/**
 * The presentation snapshot: everything that a view needs to know, and the only thing that it is given.
 * Playlists, MPDs, transport streams and progressive files are pure functions of (snapshot, request) and of
 * the fragments that the snapshot names. It is immutable; a newer state is a newer snapshot. Arrays are
 * shared between snapshots and only ever grow at the end: read no further than the lengths given here.
 *
 * Time is in integer ticks of each track's own timescale and starts at 0 with the first epoch; the decode
 * time of a fragment (its tfdt) is that media time.
 */
import type { Codec, TrackKind } from './media/unit.ts';
import type { Scheme } from './protect/keys.ts';

/** One fragment (moof + mdat) of the log: an LL-HLS part, or all of a segment. */
export type PartRef = {
  /** Sequence number of the fragment in its track log. */
  readonly seq: number;
  readonly duration: number;
  /** Starts with a picture from which decoding can start (audio: always). */
  readonly independent: boolean;
  /** Nothing was encoded for this span: EXT-X-GAP, and no bytes. */
  readonly gap: boolean;
  readonly size: number;
};

/** Consecutive fragments from one segment start to the next. `msn` is the media sequence number (HLS) and the number in the file's name. */
export type SegmentRef = {
  readonly msn: number;
  readonly epoch: number;
  /** tfdt of the first fragment. */
  readonly start: number;
  readonly duration: number;
  /** What PROGRAM-DATE-TIME adds to the epoch's wall clock and the media time, ms: the drift of the encoder's clock. */
  readonly slewMs: number;
  readonly independent: boolean;
  readonly gap: boolean;
  readonly size: number;
  readonly parts: readonly PartRef[];
};

/** The segment being written: only its first `count` parts belong to this snapshot. */
export type OpenSegment = {
  readonly msn: number;
  readonly epoch: number;
  readonly start: number;
  readonly slewMs: number;
  readonly parts: readonly PartRef[];
  readonly count: number;
};

/** A span without holes and with one decoder configuration per track. Epoch n+1 starts where n ended, behind a DISCONTINUITY. */
export type EpochRef = {
  readonly epoch: number;
  /** Wall clock of the epoch's first media, ms since 1970: EXT-X-PROGRAM-DATE-TIME, DASH Period@start. */
  readonly wallClock: number;
  /** Media time of the epoch's start, seconds × 1e6 rounded: the same for all tracks. */
  readonly startMicros: number;
  /** In the names of its files: see `names.ts`. */
  readonly run: string;
};

/** What one track was in one epoch: its init segment and what players must be told of it. */
export type TrackEpoch = {
  readonly epoch: number;
  readonly init: Buffer;
  /** It came late: segments before this number are holes, and were listed without it. */
  readonly initFrom?: number;
  /** RFC 6381, from the real parameter sets. */
  readonly codecString: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly channels?: number;
  /** From the transfer characteristics of the parameter sets; absent: not said, which players take for SDR. */
  readonly videoRange?: VideoRange;
};

export type VideoRange = 'SDR' | 'HLG' | 'PQ';

export type TrackSnapshot = {
  /** Folder of the track's log and first part of its URLs: `v0`, `v1`, …, `a0`. */
  readonly id: string;
  readonly kind: TrackKind;
  readonly codec: Codec;
  readonly timescale: number;
  readonly epochs: readonly TrackEpoch[];
  /** Closed segments: use [firstSegment, endSegment) only. */
  readonly segments: readonly SegmentRef[];
  readonly firstSegment: number;
  /**
   * The live window begins here. Once the show has ended `firstSegment` is its beginning, but the playlist that
   * people watched goes on from here: its MEDIA-SEQUENCE must not go back (RFC 8216bis 6.2.2).
   */
  readonly liveStart: number;
  readonly endSegment: number;
  readonly open: OpenSegment | null;
  /** Bits a second that players are told (max of declared and measured, × 1.25), frozen for the run. */
  readonly bandwidth: number;
  readonly averageBandwidth: number;
  /** EXT-X-PART-INF: seconds, frozen for the run; null without parts. */
  readonly partTarget: number | null;
  /** Audio group (HLS) or adaptation set that the track belongs to; rungs of one picture share theirs. */
  readonly group: string;
  readonly language?: string;
  readonly name?: string;
  /** Made out of the pictures of another track. */
  readonly rung?: object;
  /** The sound of another track, in another codec. */
  readonly secondSound?: { readonly of: string };
};

/** Frozen when the run's gate opens, and kept in the catalog: players read these once. */
export type PresentationPolicy = {
  readonly latency: 'ultra' | 'low' | 'standard';
  /** EXT-X-TARGETDURATION in seconds. */
  readonly targetDuration: number;
  /** The same in every playlist of the presentation; null without parts. */
  readonly partHoldBack: number | null;
  readonly version: number;
  /** Every segment starts with a key frame (EXT-X-INDEPENDENT-SEGMENTS). */
  readonly independentSegments: boolean;
  /** How far back whoever watches live can go, seconds; never less is listed than players need. */
  readonly dvrSeconds: number;
  /** An upload that is watched while it arrives: its list begins with the film and only ever grows at the end, until all of it is there. */
  readonly growing?: true;
  /** Absent: the media is served as it is. */
  readonly protection?: Scheme;
  /** CEA-608/708 services seen in the pictures before the gate opened: `CC1` … `CC4`, `SERVICE1` …. */
  readonly closedCaptions: readonly string[];
};

/** Something said beside picture and sound at a moment of media time. Its emsg box lies in the log, ahead of the moof of a fragment of the lead track. */
export type TimedEvent = {
  /** Unique within the video, and the same after a restart. */
  readonly id: string;
  readonly scheme: 'id3' | 'scte35';
  readonly epoch: number;
  /** The segment whose fragment carries it. */
  readonly msn: number;
  /** Media time, seconds × 1e6. */
  readonly micros: number;
  /** Null: not known. */
  readonly durationMicros: number | null;
  /** The ID3 tag, or the splice_info_section. */
  readonly data: Buffer;
};

/** A cut is a view: media before `in` and after `out` (micros) is not listed. */
export type Cut = { readonly inMicros: number | null; readonly outMicros: number | null };

export type PresentationSnapshot = {
  readonly video: string;
  /** In the names of the files that come next. Those that are there have the run of their epoch. */
  readonly run: string;
  readonly state: 'live' | 'ended';
  /** Counts up with every change: `revision` equal means bytes equal. */
  readonly revision: number;
  readonly policy: PresentationPolicy;
  readonly epochs: readonly EpochRef[];
  readonly tracks: readonly TrackSnapshot[];
  /** In the order in which they were written. */
  readonly events: readonly TimedEvent[];
  readonly cut: Cut;
};
