/** Uploaded files as tests make them up: an index, and media of which every byte follows from the seed. */
import { encodeAvcConfig } from '../media/h264-encode.ts';
import { random } from '../log/sample.ts';
import { Mp4Error, type Edit, type Movie, type MovieAudio, type MovieVideo, type RangeSource, type SampleRows, type SampleTable } from './movie.ts';

export type PretendSample = { readonly dts: number; readonly cts?: number; readonly duration: number; readonly size?: number; readonly key?: boolean };

type Rows = { -readonly [Column in Exclude<keyof SampleRows, 'count'>]: SampleRows[Column] };

const rowsOf = (samples: readonly (PretendSample & { offset: number })[]): Rows => ({
  offset: Float64Array.from(samples, ({ offset }) => offset),
  size: Uint32Array.from(samples, ({ size = 100 }) => size),
  dts: Float64Array.from(samples, ({ dts }) => dts),
  cts: Int32Array.from(samples, ({ cts = 0 }) => cts),
  duration: Uint32Array.from(samples, ({ duration }) => duration),
  key: Uint8Array.from(samples, ({ key = true }) => Number(key)),
});

class PretendTable implements SampleTable {
  readonly count: number;
  readonly duration: number;
  readonly keys: Uint32Array | null;
  readonly weight = 0;
  readonly #rows: Rows;

  constructor(samples: readonly (PretendSample & { offset: number })[]) {
    this.count = samples.length;
    const last = samples.at(-1);
    this.duration = last ? last.dts + last.duration - (samples[0]?.dts ?? 0) : 0;
    const keys = samples.flatMap(({ key = true }, index) => (key ? [index] : []));
    this.keys = keys.length === samples.length ? null : Uint32Array.from(keys);
    this.#rows = rowsOf(samples);
  }

  rows(from: number, to: number): SampleRows {
    if (from < 0 || to > this.count || from > to) throw new RangeError(`samples ${from} to ${to} of ${this.count}`);
    const { offset, size, dts, cts, duration, key } = this.#rows;
    return {
      count: to - from,
      ...{ offset: offset.slice(from, to), size: size.slice(from, to), dts: dts.slice(from, to) },
      ...{ cts: cts.slice(from, to), duration: duration.slice(from, to), key: key.slice(from, to) },
    };
  }
}

export type PretendTrack = {
  readonly kind: 'video' | 'audio';
  readonly timescale: number;
  readonly samples: readonly PretendSample[];
  readonly edit?: Edit;
  readonly language?: string;
  readonly name?: string;
  readonly enabled?: boolean;
  readonly rotation?: 0 | 90 | 180 | 270;
};

export const plainEdit = (from = 0, delay = 0, length: number | null = null): Edit => ({ kind: 'plain', from, delay, length });

const avcC = encodeAvcConfig([Buffer.from('6764000aacd942846840000003004000000c83c4896580', 'hex')], [Buffer.from('68ebe3cb22c0', 'hex')]);
/** AAC-LC, 48 kHz, stereo. */
const aacConfig = Buffer.from('1190', 'hex');

export type PretendMovie = { readonly movie: Movie; readonly bytes: Buffer; readonly source: RangeSource };

/** `chunkSeconds`: how the tracks take turns in the file. */
export const pretendMovie = (tracks: readonly PretendTrack[], { chunkSeconds = 0.5, seed = 1, head = 1000 } = {}): PretendMovie => {
  const all = tracks
    .flatMap(({ samples, timescale }, track) => samples.map((sample, index) => ({ track, index, turn: Math.floor(sample.dts / timescale / chunkSeconds), size: sample.size ?? 100 })))
    .sort((a, b) => a.turn - b.turn || a.track - b.track || a.index - b.index);
  const offsets = tracks.map(({ samples }) => samples.map(() => 0));
  let at = head;
  for (const { track, index, size } of all) {
    (offsets[track] ?? [])[index] = at;
    at += size;
  }
  const bytes = Buffer.alloc(at);
  const next = random(seed);
  for (let byte = 0; byte + 4 <= at; byte += 4) bytes.writeUInt32LE(Math.floor(next() * 2 ** 32), byte);
  const movie: Movie = {
    fragmented: false,
    weight: 0,
    tracks: tracks.map((track, index): MovieVideo | MovieAudio => {
      const samples = new PretendTable(track.samples.map((sample, place) => ({ ...sample, offset: offsets[index]?.[place] ?? 0 })));
      const { timescale, edit = plainEdit(), language = 'und', name = null, enabled = true } = track;
      const common = { id: index + 1, timescale, language, name, enabled, edit, samples };
      if (track.kind === 'audio') return { ...common, kind: 'audio', fourcc: 'mp4a', codec: 'aac', config: aacConfig, sampleRate: 48_000, channels: 2 };
      const { rotation = 0 } = track;
      return { ...common, kind: 'video', fourcc: 'avc1', codec: 'h264', config: avcC, width: 160, height: 90, rotation, pixelAspect: null, colour: null };
    }),
  };
  return { movie, bytes, source: sourceOf(bytes) };
};

export const sourceOf = (bytes: Buffer, has: (from: number, to: number) => boolean = () => true): RangeSource => ({
  size: bytes.length,
  async read(offset, length) {
    if (offset + length > bytes.length) throw new Mp4Error('truncated', 'beyond the end');
    if (!has(offset, offset + length)) throw new Mp4Error('not-yet', 'not there');
    return bytes.subarray(offset, offset + length);
  },
});

/** Pictures of an encoder with B-frames: `gop` pictures from key to key, `reorder` of them shown late. */
export const pictureSamples = (count: number, gop: number, { ticks = 1000, reorder = 0, size = (n: number) => 50 + ((n * 37) % 400) } = {}): PretendSample[] =>
  Array.from({ length: count }, (_, n) => {
    const place = n % gop;
    const left = Math.min(gop, count - (n - place));
    // I P b P b …: each P ahead of the b that it is shown after.
    const shown = reorder === 0 || place === 0 ? place : place % 2 === 1 ? Math.min(place + 1, left - 1) : place - 1;
    return { dts: n * ticks, cts: (shown - place + reorder) * ticks, duration: ticks, key: place === 0, size: size(n) };
  });

export const soundSamples = (count: number, ticks = 1024): PretendSample[] =>
  Array.from({ length: count }, (_, n) => ({ dts: n * ticks, duration: ticks, size: 20 + ((n * 13) % 60) }));
