/** The package has no types of its own: as much of its manifest as the tests look at. */
declare module 'm3u8-parser' {
  export type M3u8Part = { uri: string; duration: number; independent?: boolean; gap?: boolean };
  export type M3u8Segment = {
    uri?: string;
    duration: number;
    timeline: number;
    discontinuity?: boolean;
    gap?: boolean;
    dateTimeString?: string;
    programDateTime?: number;
    map?: { uri: string };
    parts?: M3u8Part[];
    preloadHints?: { type: string; uri: string }[];
  };
  export type M3u8Rendition = { default: boolean; autoselect: boolean; language?: string; uri: string };
  export type M3u8Manifest = {
    version: number;
    targetDuration: number;
    partTargetDuration?: number;
    mediaSequence: number;
    discontinuitySequence: number;
    discontinuityStarts: number[];
    independentSegments?: boolean;
    endList?: boolean;
    playlistType?: string;
    segments: M3u8Segment[];
    preloadSegment?: M3u8Segment;
    skip?: { skippedSegments: number };
    serverControl?: { canBlockReload: boolean; canSkipUntil: number; holdBack: number; partHoldBack: number };
    renditionReports?: { uri: string; lastMsn: number; lastPart?: number }[];
    playlists?: { uri: string; attributes: Record<string, unknown> }[];
    mediaGroups?: { AUDIO: Record<string, Record<string, M3u8Rendition>> };
  };
  export class Parser {
    manifest: M3u8Manifest;
    push(text: string): void;
    end(): void;
    on(event: 'warn' | 'info' | 'error', listener: (event: { message: string }) => void): void;
  }
}
