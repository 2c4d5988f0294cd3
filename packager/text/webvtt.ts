/**
 * WebVTT (W3C, section 6.1), read as tolerantly as browsers do: a cue that cannot be read is passed over, and said with
 * its line. What is refused is refused whole: what is no WebVTT at all, and what is too much.
 */
import { MICROS } from '../media/wire-time.ts';
import type { Cue } from './cue.ts';

export type Complaint = { readonly line: number; readonly detail: string };
export type WebVtt = {
  readonly cues: readonly Cue[];
  /** STYLE and REGION blocks, as they stand. */
  readonly blocks: readonly string[];
  readonly complaints: readonly Complaint[];
};

export class WebVttError extends Error {
  override readonly name = 'WebVttError';
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export const largestWebVtt = 2 * 1024 * 1024;
const mostCues = 50_000;
const mostComplaints = 100;
const longestText = 4096;
const longestName = 256;
const mostBlockBytes = 16 * 1024;
/** An hour of a hundred digits is no time; a year is. */
const latestMicros = 366 * 24 * 3600 * MICROS;

const arrow = '-->';
const stamp = String.raw`(?:(\d{2,7}):)?([0-5]\d):([0-5]\d)\.(\d{3})`;
const timing = new RegExp(String.raw`^\s*${stamp}\s*-->\s*${stamp}(?:[ \t]+(.*))?$`);

export const parseWebVtt = (source: string): WebVtt => {
  if (source.length > largestWebVtt) throw new WebVttError(1, 'The file is larger than 2 MB.');
  const lines = source.replace(/^\ufeff/, '').replaceAll('\0', '\ufffd').replace(/\r\n?/g, '\n').split('\n');
  if (!/^WEBVTT(?:[ \t].*)?$/.test(lines[0] ?? '')) throw new WebVttError(1, 'The first line must be WEBVTT.');
  const reader = new BlockReader();
  // The header goes on to the first empty line; a cue may follow it at once.
  let at = 1;
  while (at < lines.length && lines[at] !== '' && !lines[at]?.includes(arrow)) at += 1;
  while (at < lines.length) {
    while (lines[at] === '') at += 1;
    const from = at;
    while (at < lines.length && lines[at] !== '') {
      // A timing line begins a cue of its own, unless it is the first or the second line of its block.
      if (at > from + 1 && lines[at]?.includes(arrow)) break;
      if (at === from + 1 && lines[from]?.includes(arrow) && lines[at]?.includes(arrow)) break;
      at += 1;
    }
    if (at > from) reader.block(lines.slice(from, at), from + 1);
  }
  return reader;
};

class BlockReader {
  readonly cues: Cue[] = [];
  readonly blocks: string[] = [];
  readonly complaints: Complaint[] = [];
  #blockBytes = 0;

  block(lines: readonly string[], line: number): void {
    const [first = '', second = ''] = lines;
    if (first.includes(arrow)) this.#cue('', first, lines.slice(1), line);
    else if (second.includes(arrow)) this.#cue(first, second, lines.slice(2), line + 1);
    else if (/^(?:STYLE|REGION)[ \t]*$/.test(first)) this.#keep(lines, line);
    else if (!/^NOTE(?:[ \t]|$)/.test(first)) this.#complain(line, 'A block without a time.');
  }

  #cue(id: string, times: string, text: readonly string[], line: number): void {
    const found = timing.exec(times);
    if (!found) return this.#complain(line, `A time is written as 00:01:02.345 --> 00:01:05.000.`);
    const [, h1, m1, s1, f1, h2, m2, s2, f2, settings = ''] = found;
    const startMicros = micros(h1, m1, s1, f1);
    const endMicros = micros(h2, m2, s2, f2);
    if (endMicros > latestMicros) return this.#complain(line, 'The time is more than a year.');
    if (endMicros <= startMicros) return this.#complain(line, 'The cue ends before it begins.');
    const said = text.join('\n');
    if (said.trim() === '') return this.#complain(line, 'The cue is empty.');
    if (said.length > longestText) return this.#complain(line, `The cue has more than ${longestText} characters.`);
    if (id.length > longestName || settings.length > longestName) return this.#complain(line, `An identifier or settings of more than ${longestName} characters.`);
    if (this.cues.length >= mostCues) throw new WebVttError(line, `There are more than ${mostCues} cues.`);
    const kept = settings.trim();
    this.cues.push({ startMicros, endMicros, text: said, ...(id !== '' && { id }), ...(kept !== '' && { settings: kept }) });
  }

  #keep(lines: readonly string[], line: number): void {
    const text = lines.join('\n');
    this.#blockBytes += Buffer.byteLength(text);
    if (this.cues.length > 0) return this.#complain(line, `${lines[0]} after the first cue means nothing.`);
    if (this.#blockBytes > mostBlockBytes) throw new WebVttError(line, 'The styles are larger than 16 KB.');
    this.blocks.push(text);
  }

  #complain(line: number, detail: string): void {
    if (this.complaints.length < mostComplaints) this.complaints.push({ line, detail });
  }
}

const micros = (hours = '0', minutes = '0', seconds = '0', ms = '0'): number =>
  ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * MICROS + Number(ms) * 1000;
