/** What the DASH view adds to packager/names.ts: the media files are the same as in HLS. */

/**
 * Where players set their clock by ours, relative to a manifest: `/play/<grant>/<video>/manifest.mpd` makes it
 * `/play/time`. It answers `timeAnswer(now)` as text/plain and must not be kept by any cache.
 */
export const timeAddress = '../../time';

/** urn:mpeg:dash:utc:http-iso:2014: the body is one date. */
export const timeAnswer = (wallMs: number): string => new Date(wallMs).toISOString();
