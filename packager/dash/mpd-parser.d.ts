/** The package has no types of its own: as much of what it reads as the tests look at. */
declare module 'mpd-parser' {
  export type MpdSegment = { uri: string; resolvedUri: string; duration: number; presentationTime: number; map: { resolvedUri: string } };
  export type MpdPlaylist = {
    attributes: { NAME: string; BANDWIDTH: number; CODECS: string; RESOLUTION?: { width: number; height: number } };
    endList: boolean;
    targetDuration: number;
    segments: MpdSegment[];
  };
  export type MpdRead = {
    duration: number;
    minimumUpdatePeriod?: number;
    suggestedPresentationDelay?: number;
    locations?: string[];
    playlists: MpdPlaylist[];
    mediaGroups: { AUDIO: Record<string, Record<string, { playlists: MpdPlaylist[] }>> };
  };
  export const parse: (text: string, options: { manifestUri: string; eventHandler?: (event: { type: string; message: string }) => void }) => MpdRead;
}
