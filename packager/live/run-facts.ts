/** What a run is, frozen when its gate opens, and what its tracks are in an epoch. */
import type { Codec, TrackConfig, TrackKind } from '../media/unit.ts';
import type { PresentationPolicy, TrackEpoch } from '../snapshot.ts';
import type { Rhythm } from './policy.ts';

/** How a rung is encoded, and what players are told of it before its first picture is there. */
export type RungFacts = {
  readonly width: number;
  readonly height: number;
  /** Pictures a second, at the most; null: all that the source has. */
  readonly mostPictures: number | null;
  readonly frameRate: number | null;
  /** Bits a second, on average. */
  readonly bitRate: number;
  /** Of x264. */
  readonly preset: string;
  /** Of H.264, times ten. */
  readonly level: number;
  readonly codecString: string;
};

/** The sound of another track in a codec that players everywhere know. */
export type SecondSoundFacts = {
  /** The id of that track. */
  readonly of: string;
  readonly channels: 1 | 2;
  /** Bits a second. */
  readonly bitRate: number;
  /** In its longest part. */
  readonly framesPerPart: number;
};

export type RunTrack = {
  readonly id: string;
  readonly kind: TrackKind;
  readonly codec: Codec;
  readonly timescale: number;
  readonly bandwidth: number;
  readonly averageBandwidth: number;
  readonly partTarget: number | null;
  readonly group: string;
  /** BCP 47. */
  readonly language?: string;
  readonly name?: string;
  /** Made here out of the source's pictures; absent: it is what the publisher sends. */
  readonly rung?: RungFacts;
  /** Made here out of the source's sound; absent: it is what the publisher sends. */
  readonly secondSound?: SecondSoundFacts;
};

/** What the publisher sends, without what is made of it. */
export const sentTracks = <Track extends { readonly rung?: object; readonly secondSound?: object }>(tracks: readonly Track[]): Track[] =>
  tracks.filter(({ rung, secondSound }) => rung === undefined && secondSound === undefined);

/** Players read the list of tracks once: whoever was told of one codec cannot be given another. */
export const isToldOf = (told: readonly Pick<RunTrack, 'kind' | 'codec'>[], { kind, codec }: TrackConfig): boolean =>
  told.some((track) => track.kind === kind && track.codec === codec);

/** What is frozen when the gate opens. Kept in the catalog, so that a restarted server goes on with the same run. */
export type RunFacts = {
  readonly video: string;
  readonly run: string;
  /** Wall clock of the first media, ms since 1970. */
  readonly startedAt: number;
  readonly policy: PresentationPolicy;
  readonly rhythm: Rhythm;
  readonly tracks: readonly RunTrack[];
};

/** Promises that shows did not make from the beginning of this software. */
type Newer = 'dvrSeconds' | 'closedCaptions';

/** What the catalog keeps of the policy. */
export type KeptPolicy = Omit<PresentationPolicy, Newer> & Partial<Pick<PresentationPolicy, Newer>> & {
    readonly rhythm: Rhythm;
    /** By the ids of their tracks. */
    readonly rungs?: Readonly<Record<string, RungFacts>>;
    readonly secondSounds?: Readonly<Record<string, SecondSoundFacts>>;
  };

/** What a track is in an epoch that begins. */
export type EpochTrack = TrackEpoch & { readonly kind: TrackKind; readonly reorderDelay: number };
