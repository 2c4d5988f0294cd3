/** What the DASH view adds to packager/names.ts: the media files are the same as in HLS. */

/**
 * Where players set their clock by ours, relative to a manifest: `/play/<grant>/<video>/manifest.mpd` makes it
 * `/play/time`. It answers `timeAnswer(now)` as text/plain and must not be kept by any cache.
 */
export const timeAddress = '../../time';

export const manifestName = 'manifest.mpd';
/**
 * Where whoever began while the show was live reads the manifest from (`Location`): after the end he is told the end of
 * the timeline that he has, holes and all. Whoever comes then asks without it, and gets that of a recording.
 */
export const fromLive = 'from=live';

/** urn:mpeg:dash:utc:http-iso:2014: the body is one date. */
export const timeAnswer = (wallMs: number): string => new Date(wallMs).toISOString();
