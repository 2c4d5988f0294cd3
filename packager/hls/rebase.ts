/**
 * A cut lists media that lies elsewhere: under the video's own address, so that one object has one name. Playlists are
 * put together from lines that are kept for as long as their segments live, so the addresses are changed at the end.
 */
export const rebased = (playlist: string, mediaBase: string | undefined): string =>
  mediaBase === undefined || mediaBase === '' ? playlist : playlist.replace(aheadOfMedia, `$1${mediaBase}`);

/**
 * Tags that name media or its key, up to the name; and the beginning of a line that is one. RENDITION-REPORT names a playlist of the cut. Where a
 * key is somebody else's, its address is whole and stays what it is.
 */
const aheadOfMedia = /^(#EXT-X-(?:MAP|KEY|PART|PRELOAD-HINT):.*?URI="(?![a-z][a-z0-9+.-]*:)|(?!#)(?=.))/gim;
