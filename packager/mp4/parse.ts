/** An MP4 or MOV, from its bytes to what it holds. Reads the headers and nothing of the media. */
import { asMp4Error, boxesIn, childrenOf, firstOf, needed, type Box } from './boxes.ts';
import { beginTogether } from './edit-list.ts';
import { readDefaults, readFragments } from './fragments.ts';
import { readMovieHeader } from './headers.ts';
import { Allowance, movieLimits, type MovieLimits } from './limits.ts';
import { Mp4Error, type Movie, type MovieTrack, type RangeSource } from './movie.ts';
import { locateMoov, TopLevel } from './top-level.ts';
import { TrackDraft } from './track.ts';

const isQuickTime = async (source: RangeSource): Promise<boolean> => {
  const head = await source.read(0, Math.min(12, source.size));
  return head.toString('latin1', 4, 8) !== 'ftyp' || head.toString('latin1', 8, 12) === 'qt  ';
};

const drafts = async (bytes: Buffer, moov: readonly Box[], quickTime: boolean, allowance: Allowance): Promise<TrackDraft[]> => {
  const header = readMovieHeader(bytes, needed(moov, 'mvhd', 'moov'), quickTime);
  const traks = moov.filter(({ type }) => type === 'trak');
  if (traks.length > allowance.limits.tracks) throw new Mp4Error('limit', `${traks.length} tracks`);
  const found: TrackDraft[] = [];
  for (const trak of traks) {
    const draft = new TrackDraft({ bytes, allowance }, trak, header);
    if (found.some(({ id }) => id === draft.id)) throw new Mp4Error('invalid', `two tracks have the id ${draft.id}`);
    await draft.readSamples();
    found.push(draft);
  }
  return found;
};

const parse = async (source: RangeSource, allowance: Allowance): Promise<Movie> => {
  const top = new TopLevel(source);
  const { at, end } = await locateMoov(top, allowance);
  const bytes = await source.read(at, end - at);
  const [box] = boxesIn(bytes, 0, bytes.length, allowance);
  if (!box) throw new Mp4Error('invalid', 'the moov is empty');
  const moov = childrenOf(bytes, box, allowance);
  if (firstOf(moov, 'cmov')) throw new Mp4Error('unsupported', 'the moov is compressed');
  const found = await drafts(bytes, moov, await isQuickTime(source), allowance);
  const mvex = firstOf(moov, 'mvex');
  if (mvex) await readFragments(top, found, readDefaults(bytes, mvex, allowance), allowance);
  const tracks: MovieTrack[] = [];
  for (const draft of found) tracks.push(await draft.finish(source.size, mvex !== undefined));
  const weight = tracks.reduce((sum, { samples }) => sum + samples.weight, 0);
  return { fragmented: mvex !== undefined, tracks: mvex ? beginTogether(tracks) : tracks, weight };
};

/** Rejects with an Mp4Error; with what `source` throws, where that is something else. */
export const parseMovie = async (source: RangeSource, limits: Partial<MovieLimits> = {}): Promise<Movie> => {
  try {
    return await parse(source, new Allowance({ ...movieLimits, ...limits }));
  } catch (error) {
    throw asMp4Error(error);
  }
};
