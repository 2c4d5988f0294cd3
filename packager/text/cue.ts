/** A caption: what is to be read, from when to when. Times are media time in micros. */
export type Cue = {
  readonly startMicros: number;
  readonly endMicros: number;
  /** In WebVTT's own marking (`<i>`, `&amp;`), lines apart. */
  readonly text: string;
  readonly id?: string;
  /** WebVTT cue settings: `line:0 align:start`. */
  readonly settings?: string;
};

/** What WebVTT is for in `Codec`s of CMAF and in CODECS. */
export const wvtt = 'wvtt';
/** As the pictures count, so that a segment of captions begins and ends exactly where theirs does. */
export const TEXT_TIMESCALE = 90_000;

/** Plain text as WebVTT can hold it: nothing in it is markup, and no empty line ends the cue. */
export const plainText = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(/(?!\n)\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('\n');
