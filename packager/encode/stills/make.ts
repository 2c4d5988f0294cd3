/** What is made of a video's key pictures: a storyboard, posters to choose from, a preview. The same bytes for the same video. */
import type { TrackLogReader } from '../../log/types.ts';
import { candidatesOf, chooseFaces, lookOf, type Choice } from '../../pictures/choose.ts';
import { momentsOf, type KeyMoment, type Moments, type Span } from '../../pictures/moments.ts';
import { sheetOf } from '../../pictures/raw.ts';
import { cellsOfSheet, chosenCells, gridOf, stepOf, type Grid, type Size } from '../../pictures/storyboard.ts';
import type { PostersWork, PreviewWork, StoryboardWork } from '../../pipeline/work.ts';
import { shownWithin } from './command.ts';
import { takeScene } from './scene.ts';
import { stillSource, takeStills, type StillBench } from './take.ts';
import { writeAnimation, writeJpeg } from './write.ts';

export type MakeStills = StillBench & {
  readonly reader: TrackLogReader;
  readonly span: Span;
  /** 0 to 1. */
  readonly progress: (done: number) => void;
};

/** On the longer side. */
export const posterPixels = 1280;
export const previewPixels = 320;
const lookPixels = 160;
/** Of JPEG: small pictures are looked at for a moment, a poster for longer. */
const quality = { sheet: 6, poster: 3 } as const;
const mostCandidates = 60;
const mostPosters = 6;
const previewRate = 10;
const scenes = 3;
/** A shorter film is shown from one place on. */
const leastForScenes = 9e6;
const mostPreviewSeconds = 10;

type Shown = { readonly moments: Moments; readonly sizeWithin: (longest: number) => Size };

/** Null: there is nothing to be seen. */
const shownOf = ({ reader, span }: Pick<MakeStills, 'reader' | 'span'>): Shown | null => {
  const log = reader.snapshot();
  const moments = momentsOf(log, span);
  const known = moments.keys.map(({ epoch }) => epoch).filter((epoch, index, all) => all.indexOf(epoch) === index);
  const source = known.map((epoch) => stillSource(log, epoch)).find((one) => one !== null);
  return source ? { moments, sizeWithin: (longest) => shownWithin(source, longest) } : null;
};

export type Storyboard = { readonly sheets: readonly Buffer[]; readonly cells: readonly KeyMoment[]; readonly length: number; readonly grid: Grid; readonly cell: Size };

export const makeStoryboard = async (stage: MakeStills, { every, columns, rows, width }: Omit<StoryboardWork, 'kind'>): Promise<Storyboard | null> => {
  const shown = shownOf(stage);
  if (!shown) return null;
  const { moments, sizeWithin } = shown;
  const grid = { columns, rows };
  const wanted = chosenCells(moments, stepOf(moments.length, every, grid));
  const cell = sizeWithin(width);
  const sheets: Buffer[] = [];
  const places = cellsOfSheet(wanted.length, grid);
  let before: Buffer | null = null;
  let any = false;
  for (const { from, to } of places) {
    const stills = await takeStills(stage, stage.reader, wanted.slice(from, to), cell);
    any ||= stills.some((still) => still !== null);
    // What could not be decoded shows what was there before.
    for (const [index, still] of stills.entries()) stills[index] = before = still ?? before;
    sheets.push(await writeJpeg(stage, sheetOf(stills, cell, gridOf(to - from, grid)), quality.sheet));
    stage.progress(to / wanted.length);
  }
  return any ? { sheets, cells: wanted, length: moments.length, grid, cell } : null;
};

type Faces = Choice & { readonly moments: readonly KeyMoment[] };

const facesOf = async (stage: MakeStills, { moments, sizeWithin }: Shown, most: number, count: number): Promise<Faces> => {
  const candidates = candidatesOf(moments.keys, moments.length, most);
  const size = sizeWithin(lookPixels);
  const stills = await takeStills(stage, stage.reader, candidates, size);
  const seen = stills.flatMap((data, index) => {
    const moment = candidates[index];
    return data && moment ? [{ moment, look: lookOf({ ...size, data }) }] : [];
  });
  const { chosen, best } = chooseFaces(seen.map(({ look }) => look), count);
  return { chosen, best, moments: chosen.flatMap((index) => seen[index]?.moment ?? []) };
};

export type Posters = {
  readonly posters: readonly Buffer[];
  readonly height: number;
  /** Which of them is to be shown. */
  readonly best: number;
};

/** `sharper`: the same video, larger; null: there is none. */
export const makePosters = async (stage: MakeStills, sharper: TrackLogReader | null, { count }: Omit<PostersWork, 'kind'>): Promise<Posters | null> => {
  const shown = shownOf(stage);
  if (!shown) return null;
  const faces = await facesOf(stage, shown, mostCandidates, Math.min(count, mostPosters));
  stage.progress(0.5);
  if (faces.moments.length === 0) return null;
  const large = sharper && (await largeOf({ ...stage, reader: sharper }, faces.moments));
  const { size, stills } = large ?? (await stillsOf(stage, shown, faces.moments));
  const posters: Buffer[] = [];
  for (const data of stills) if (data) posters.push(await writeJpeg(stage, { ...size, data }, quality.poster));
  return posters.length === faces.moments.length ? { posters, height: size.height, best: faces.best } : null;
};

type Large = { readonly size: Size; readonly stills: readonly (Buffer | null)[] };

const stillsOf = async (stage: MakeStills, { sizeWithin }: Shown, moments: readonly KeyMoment[]): Promise<Large> => {
  const size = sizeWithin(posterPixels);
  return { size, stills: await takeStills(stage, stage.reader, moments, size) };
};

/** Null: not all of them are there. */
const largeOf = async (stage: MakeStills, moments: readonly KeyMoment[]): Promise<Large | null> => {
  const shown = shownOf(stage);
  if (!shown) return null;
  const { keys } = shown.moments;
  const same = moments.map(({ at }) => keys.find((key) => Math.abs(key.at - at) < 20_000));
  if (!same.every((moment) => moment !== undefined)) return null;
  const large = await stillsOf(stage, shown, same);
  return large.stills.every((still) => still !== null) ? large : null;
};

export type Preview = { readonly preview: Buffer; readonly height: number };

/** Null: there is nothing to be seen, or nothing here can write one. */
export const makePreview = async (stage: MakeStills, { seconds }: Omit<PreviewWork, 'kind'>): Promise<Preview | null> => {
  const shown = shownOf(stage);
  if (!shown) return null;
  const { moments, sizeWithin } = shown;
  const size = sizeWithin(previewPixels);
  const pictures = Math.max(1, Math.round(Math.min(seconds, mostPreviewSeconds) * previewRate));
  const first = moments.keys[0];
  const places = moments.length < leastForScenes && first ? [first] : (await facesOf(stage, shown, mostCandidates / 2, scenes)).moments;
  const all: Buffer[] = [];
  for (const [index, place] of places.entries()) {
    all.push(...(await takeScene(stage, stage.reader, place, size, Math.round(pictures / places.length), previewRate)));
    stage.progress((index + 1) / (places.length + 1));
  }
  // One that does not move is none.
  if (all.length < 2) return null;
  const preview = await writeAnimation(stage, all, size, previewRate);
  return preview && { preview, height: size.height };
};
