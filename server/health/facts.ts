/**
 * What is known of what a streamer sends: measured where it arrives, and nothing else. What nobody counted is null or
 * not there. Times are ms, rates bits a second.
 */
import type { EndReason, LineReport, Protocol } from '../../packager/media/publish.ts';
import type { MediaKind } from '../../packager/media/unit.ts';
import type { Scheme } from '../../packager/protect/keys.ts';

/** What a configuration says; null where it says nothing that is understood here. */
export type VideoShape = {
  readonly codec: string;
  /** RFC 6381. */
  readonly codecString: string | null;
  readonly profile: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly bitDepth: number | null;
  /** `4:2:0` and its kin. */
  readonly chroma: string | null;
  readonly interlaced: boolean | null;
  /** Pictures a second by the stream's own word. */
  readonly declaredFps: number | null;
};
export type AudioShape = {
  readonly codec: string;
  readonly codecString: string | null;
  /** As it is heard, behind SBR and PS. */
  readonly sampleRate: number | null;
  readonly channels: number | null;
};

/** Lengths of groups of pictures, by their stamps. Null: no second key frame has come. */
export type GopFacts = {
  readonly last: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Of the last eight: the shortest and the longest. */
  readonly recent: { readonly min: number; readonly max: number; readonly count: number } | null;
  /** How long the one that is running is so far. */
  readonly running: number;
};

export type VideoFacts = VideoShape & {
  /** By the stamps of the last seconds. */
  readonly fps: number | null;
  readonly bitrate: number;
  readonly gop: GopFacts;
  /** Pictures are shown in another order than they are sent in. */
  readonly reordered: boolean;
  /** Key frames of the last eight that decoding cannot cleanly begin at; null where the codec is not looked into. */
  readonly openKeys: number | null;
  /** Since the last picture. */
  readonly silent: number;
  /** From here on that is no slow picture any more: a screen that is shared may send one in five seconds. */
  readonly patience: number;
};
export type AudioFacts = AudioShape & { readonly bitrate: number; readonly silent: number };

export type ArrivalFacts = {
  /** How unevenly media comes, measured against its stamps (RFC 3550, 6.4.1). */
  readonly jitter: number;
  /** How much later than the promptest of the last half minute the latest of the last ten seconds was. */
  readonly late: number;
  /** Seconds of media that came in a second, over the last ten; null: too early to say. */
  readonly speed: number | null;
};

export type LineFacts = LineReport & {
  /** What came in the last ten seconds. */
  readonly recent: { readonly packets: number; readonly lost: number; readonly dropped: number; readonly undecrypted: number; readonly bitrate: number };
};

export type SessionFacts = {
  readonly protocol: Protocol;
  readonly software: string | null;
  readonly address: string;
  /** Wall clock. */
  readonly since: number;
  /** How long it has been in. */
  readonly age: number;
};

/** What became another in the middle of a broadcast. */
export type Change = { readonly what: 'resolution' | 'videoCodec' | 'audioCodec' | 'sampleRate'; readonly from: string; readonly to: string; /** ms ago. */ readonly ago: number };

export type BroadcastFacts = {
  /** Wall clock. */
  readonly since: number;
  readonly sessions: number;
  /** Sessions that took up a broadcast whose session was lost. */
  readonly reconnects: number;
  /** Of these, in the last ten minutes. */
  readonly recentReconnects: number;
  /** Times that a second encoder with the same key was refused, in the last five minutes. */
  readonly recentRivals: number;
  /** Stamps that leapt, forward or back, without the time having passed. */
  readonly jumps: number;
  /** In the last minute. */
  readonly recentJumps: number;
  /** Times that nothing came for more than three seconds within a session. */
  readonly gaps: number;
  readonly changes: readonly Change[];
  readonly lastEnd: EndReason | null;
};

/** What is encoded beside the show, by the heights of its rungs, the highest first. */
export type LadderFacts = {
  /** By the name that the channel gives it. */
  readonly ladder: string;
  readonly encoding: readonly number[];
  /** Promised, and not made now. */
  readonly shed: readonly number[];
  /** Not even promised, for want of room. */
  readonly leftOut: readonly number[];
  /** Nobody knows a ladder of that name any more. */
  readonly gone?: boolean;
  readonly restarts: number;
  /** Since an encoder was begun anew; null: none was. */
  readonly sinceRestartMs: number | null;
};

/** What is encoded beside what comes. */
export type Beside = Pick<IngestFacts, 'ladder' | 'secondSound'>;

export type IngestFacts = {
  /** Null: nobody is sending. */
  readonly session: SessionFacts | null;
  readonly video: VideoFacts | null;
  readonly audio: AudioFacts | null;
  readonly arrival: ArrivalFacts;
  /** Null: the protocol counts nothing. */
  readonly line: LineFacts | null;
  readonly broadcast: BroadcastFacts;
  /** Under which the show is served; null: it is served as it comes, or there is none yet. */
  readonly protection: Scheme | null;
  /** Null: the channel wants nothing of the kind, or there is no show yet. */
  readonly ladder: LadderFacts | null;
  /** Whether its sound is made in AAC as well (`server/ladders/sounds.ts`); null: there is no show yet. */
  readonly secondSound: 'none' | 'on' | 'silent' | null;
  /** Named by the edge: in the stream, and not carried. */
  readonly uncarried: readonly { readonly media: MediaKind; readonly codec: string }[];
};

/** A second each, the oldest first: bits, and pictures. */
export type Minute = {
  /** Wall clock of the end of the last second. */
  readonly until: number;
  readonly video: readonly number[];
  readonly audio: readonly number[];
  readonly frames: readonly number[];
};

/** The whole broadcast in few points: `step` seconds each, averages of a second. */
export type History = { readonly step: number; readonly video: readonly number[]; readonly audio: readonly number[]; readonly fps: readonly number[] };
