/**
 * Segments of captions as WebVTT files, for HLS (RFC 8216bis 3.1.4). Cue times are media time, the same in every segment
 * of an epoch and beyond; X-TIMESTAMP-MAP says of one moment what it is on the clock of the media, which is the same
 * clock. The moment is none at which anything begins: hls.js takes a difference of nothing between it and the start of
 * its timeline for "no difference was told", and adds the start of another segment instead.
 */
import { boxes, children, Cursor, type BoxView } from '../cmaf/box-reader.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { readFragments, readInit } from '../cmaf/reader.ts';
import { wholeTimes } from './segment.ts';

const mapSeconds = 10.007;
const mapLine = `X-TIMESTAMP-MAP=MPEGTS:${Math.round(mapSeconds * 90_000)},LOCAL:00:00:10.007`;

export type ReadCue = {
  readonly source: number;
  readonly id: string;
  readonly settings: string;
  readonly text: string;
  readonly start: number;
  end: number;
};

export const webVttSegment = (init: Buffer, fragments: Buffer): Buffer => {
  const { config, timescale } = readInit(init);
  const [head = 'WEBVTT', ...blocks] = config.toString('utf8').split('\n\n');
  const cues = readCues(fragments);
  const parts = [`${head}\n${mapLine}`, ...blocks, ...cues.map((cue) => cueText(cue, timescale))];
  return Buffer.from(`${parts.join('\n\n')}\n`);
};

/** The cues of fragments, each once. Throws CmafError. */
export const readCues = (bytes: Buffer): ReadCue[] => {
  const cues: ReadCue[] = [];
  for (const { baseDecodeTime, samples } of readFragments(bytes)) {
    let start = baseDecodeTime;
    for (const { offset, size, duration } of samples) {
      for (const one of boxes(bytes, offset, offset + size)) {
        if (one.type !== 'vttc') continue;
        const cue = readCue(bytes, one, start, start + duration);
        const before = cues.findLast(({ source }) => source === cue.source);
        if (before && before.end >= start) before.end = Math.max(before.end, cue.end);
        else cues.push(cue);
      }
      start += duration;
    }
  }
  return cues;
};

const readCue = (bytes: Buffer, vttc: BoxView, start: number, end: number): ReadCue => {
  const inside = children(bytes, vttc);
  const find = (type: string): BoxView | undefined => inside.find((one) => one.type === type);
  const text = (type: string): string => {
    const found = find(type);
    return found ? bytes.toString('utf8', found.body, found.end) : '';
  };
  const vsid = find('vsid');
  const uuid = find('uuid');
  const source = vsid ? new Cursor(bytes, vsid).u32() : -1;
  const said = { source, id: text('iden'), settings: text('sttg'), text: text('payl') };
  if (!uuid || uuid.end - uuid.body < 32 || !bytes.subarray(uuid.body, uuid.body + 16).equals(wholeTimes)) return { ...said, start, end };
  const times = new Cursor(bytes, uuid, 16);
  const whole = { start: times.u64(), end: times.u64() };
  if (whole.end <= whole.start) throw new CmafError('invalid', 'a cue ends before it begins');
  return { ...said, ...whole };
};

/** Whatever stands in the boxes: no empty line and no arrow may end a cue early (W3C, 4.1). */
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ').replaceAll('-->', '→').trim();
const lines = (text: string): string =>
  text
    .replaceAll('-->', '--&gt;')
    .split(/\r\n?|\n/)
    .filter((line) => line !== '')
    .join('\n');

const cueText = ({ id, settings, text, start, end }: ReadCue, timescale: number): string => {
  const times = `${clock(start, timescale)} --> ${clock(end, timescale)}${settings === '' ? '' : ` ${oneLine(settings)}`}`;
  return `${id === '' ? '' : `${oneLine(id)}\n`}${times}\n${lines(text)}`;
};

const clock = (ticks: number, timescale: number): string => {
  const ms = Math.round((ticks * 1000) / timescale);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}.${String(ms % 1000).padStart(3, '0')}`;
};
