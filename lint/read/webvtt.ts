/** Segments of captions: WebVTT with the header that ties them to the clock of the media (RFC 8216bis, 3.1.4). */

export type Captions = {
  readonly header: boolean;
  /** MPEG-TS ticks at a local time in seconds; null: no X-TIMESTAMP-MAP. */
  readonly map: { readonly ticks: number; readonly local: number } | null;
  readonly cues: readonly { readonly from: number; readonly to: number }[];
  readonly complaint: string | null;
};

const mostCues = 50_000;
const time = /^(?:(\d{2,6}):)?([0-5]\d):([0-5]\d)\.(\d{3})$/;

export const readCaptions = (text: string): Captions => {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/, 400_000);
  const header = /^WEBVTT(?:[ \t].*)?$/.test(lines[0] ?? '');
  let map: Captions['map'] = null;
  let complaint: string | null = null;
  const cues: { from: number; to: number }[] = [];
  let inHead = true;
  for (const line of lines.slice(1)) {
    if (line === '') inHead = false;
    if (inHead && line.startsWith('X-TIMESTAMP-MAP=')) {
      const ticks = /MPEGTS:(\d{1,12})/.exec(line)?.[1];
      const local = seconds(/LOCAL:([\d:.]+)/.exec(line)?.[1] ?? '');
      if (ticks === undefined || local === null) complaint = `an X-TIMESTAMP-MAP of "${line.slice(16, 80)}"`;
      else map = { ticks: Number(ticks), local };
    }
    if (!line.includes('-->')) continue;
    const [from, rest = ''] = line.split('-->', 2);
    const begin = seconds(from?.trim() ?? '');
    const end = seconds(rest.trim().split(/[ \t]/, 1)[0] ?? '');
    if (begin === null || end === null || end < begin) complaint = `a cue at "${line.slice(0, 60)}"`;
    else if (cues.length < mostCues) cues.push({ from: begin, to: end });
  }
  return { header, map, cues, complaint };
};

const seconds = (text: string): number | null => {
  const [whole, hours, minutes, whole2, fraction] = time.exec(text) ?? [];
  return whole === undefined ? null : Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(whole2) + Number(fraction) / 1000;
};
