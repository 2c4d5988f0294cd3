/** One `trak`: what it is, its samples as far as the moov tells them, and the facts that are known when it is complete. */
import { Cursor, asMp4Error, boxesIn, childrenOf, firstOf, needed, type Box } from './boxes.ts';
import { editOf, endOf, readEditList } from './edit-list.ts';
import { readAudioEntry, readVideoEntry, refuseEncrypted } from './entry.ts';
import { readMediaHeader, readTrackHeader, rotationOf, type MovieHeader } from './headers.ts';
import type { Allowance } from './limits.ts';
import { Mp4Error, type MovieTrack, type SampleTable } from './movie.ts';
import { TableBuilder } from './sample-table.ts';
import { rawSound, readTables } from './stbl.ts';
import { extendedLanguage, nameOf } from './words.ts';

const kinds: Readonly<Record<string, MovieTrack['kind']>> = { vide: 'video', soun: 'audio', text: 'text', sbtl: 'text', subt: 'text', subp: 'text', clcp: 'text' };

/** Of tracks that are only named, and of words, damage is nobody's loss. */
const unlessBroken = async <T>(read: () => T | Promise<T>): Promise<T | null> => {
  try {
    return await read();
  } catch (error) {
    const told = asMp4Error(error);
    if (told instanceof Mp4Error && told.code !== 'limit') return null;
    throw told;
  }
};

const emptyTable = (allowance: Allowance): Promise<SampleTable> => new TableBuilder(allowance).finish(0);

type Place = { readonly bytes: Buffer; readonly allowance: Allowance };

/** A track that may still get samples of fragments. */
export class TrackDraft {
  readonly id: number;
  readonly timescale: number;
  readonly kind: MovieTrack['kind'];
  readonly table: TableBuilder;
  /** Sample descriptions that are used, counted from 1. */
  readonly used = new Set<number>();
  readonly #place: Place;
  readonly #movie: MovieHeader;
  readonly #header: ReturnType<typeof readTrackHeader>;
  readonly #language: string;
  readonly #inside: { readonly trak: readonly Box[]; readonly mdia: readonly Box[]; readonly minf: readonly Box[]; readonly stbl: Box };
  readonly #entries: readonly Box[];
  readonly #stsdVersion: number;
  #ready: SampleTable | null = null;

  constructor(place: Place, trakBox: Box, movie: MovieHeader) {
    const { bytes, allowance } = place;
    const trak = childrenOf(bytes, trakBox, allowance);
    const mdia = childrenOf(bytes, needed(trak, 'mdia', 'trak'), allowance);
    const minf = childrenOf(bytes, needed(mdia, 'minf', 'mdia'), allowance);
    const stbl = needed(minf, 'stbl', 'minf');
    this.#place = place;
    this.#movie = movie;
    this.#inside = { trak, mdia, minf, stbl };
    this.#header = readTrackHeader(bytes, needed(trak, 'tkhd', 'trak'));
    this.id = this.#header.id;
    const { timescale, language } = readMediaHeader(bytes, needed(mdia, 'mdhd', 'mdia'), movie.quickTime);
    this.timescale = timescale;
    const elng = firstOf(mdia, 'elng');
    this.#language = (elng && extendedLanguage(bytes, elng)) ?? language;
    this.kind = kinds[new Cursor(bytes, needed(mdia, 'hdlr', 'mdia'), 8).fourcc()] ?? 'other';
    this.table = new TableBuilder(allowance);
    const stsd = needed(childrenOf(bytes, stbl, allowance), 'stsd', 'stbl');
    const cursor = new Cursor(bytes, stsd);
    this.#stsdVersion = cursor.full().version;
    cursor.skip(4);
    this.#entries = boxesIn(bytes, cursor.at, stsd.end, allowance);
    if (this.#isMedia) for (const { type } of this.#entries) refuseEncrypted(type);
  }

  get #isMedia(): boolean {
    return this.kind === 'video' || this.kind === 'audio';
  }

  /** The samples that the moov itself tells of. */
  async readSamples(): Promise<void> {
    const { bytes, allowance } = this.#place;
    const { stbl } = this.#inside;
    const [entry] = this.#entries;
    if (this.kind === 'audio' && entry && this.#sound(entry).codec === 'other') this.#ready = await rawSound(bytes, stbl, allowance);
    if (this.#ready) return;
    const read = async () => {
      for (const one of await readTables(bytes, stbl, this.table, allowance)) this.used.add(one);
      return true;
    };
    if (this.#isMedia) await read();
    else if (!(await unlessBroken(read))) this.#ready = await emptyTable(allowance);
  }

  async finish(fileSize: number, fragmented: boolean): Promise<MovieTrack> {
    const { allowance } = this.#place;
    const finish = () => this.table.finish(fileSize);
    const samples = this.#ready ?? (this.#isMedia ? await finish() : ((await unlessBroken(finish)) ?? (await emptyTable(allowance))));
    const { bytes } = this.#place;
    const { trak, mdia } = this.#inside;
    const hdlr = needed(mdia, 'hdlr', 'mdia');
    const [index = 1] = this.used;
    const entry = this.#entries[index - 1];
    const common = {
      id: this.id,
      fourcc: entry?.type ?? '',
      timescale: this.timescale,
      language: this.#language,
      name: await unlessBroken(() => nameOf(bytes, hdlr, firstOf(trak, 'udta'), allowance)),
      enabled: this.#header.enabled,
      edit: editOf(this.#editList(), this.#ready ? samples.duration : endOf(samples), { movie: this.#movie.timescale, track: this.timescale }, fragmented),
      samples,
    };
    if (this.kind === 'text' || this.kind === 'other') return { kind: this.kind, ...common };
    if (!entry) throw new Mp4Error('invalid', `track ${this.id} has no sample description ${index}`);
    this.#refuseExternal(entry);
    // Several descriptions would need several init segments: such a track is encoded anew.
    const severalWays = this.used.size > 1 ? { codec: 'other' as const, config: Buffer.alloc(0) } : {};
    if (this.kind === 'audio') return { kind: 'audio', ...common, ...this.#sound(entry), ...severalWays };
    const rotation = rotationOf(this.#header.matrix, this.#movie.matrix);
    return { kind: 'video', ...common, rotation, ...readVideoEntry(bytes, entry, allowance), ...severalWays };
  }

  #sound(entry: Box): ReturnType<typeof readAudioEntry> {
    return readAudioEntry(this.#place.bytes, entry, this.#stsdVersion, this.#place.allowance);
  }

  #editList(): ReturnType<typeof readEditList> | undefined {
    const { bytes, allowance } = this.#place;
    const edts = firstOf(this.#inside.trak, 'edts');
    const elst = edts && firstOf(childrenOf(bytes, edts, allowance), 'elst');
    return elst && readEditList(bytes, elst);
  }

  /** Media in another file is never looked for: flag 1 of a data reference says that it is in this one (8.7.2). */
  #refuseExternal(entry: Box): void {
    const { bytes, allowance } = this.#place;
    const dinf = firstOf(this.#inside.minf, 'dinf');
    const dref = dinf && firstOf(childrenOf(bytes, dinf, allowance), 'dref');
    if (!dref) return;
    const index = new Cursor(bytes, entry, 6).u16();
    const reference = boxesIn(bytes, Math.min(dref.body + 8, dref.end), dref.end, allowance)[index - 1];
    if (reference && (new Cursor(bytes, reference).full().flags & 1) === 0) {
      throw new Mp4Error('unsupported', `the media of track ${this.id} is in another file`);
    }
  }
}
