/**
 * The jobs that make something: ffmpeg writes into the folder of the job, our own index cuts what it made into track logs
 * beside it, and when they are whole they are moved to the video and named in the catalog, all in one step. Whatever ends
 * this earlier, a kill included, leaves nothing that anybody could see, and the next attempt begins anew.
 *
 *     original ─ ffmpeg ─▶ made.mp4 ─ grid ─▶ logs ─ rename ─▶ catalog: playable, ready
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Step } from '../../packager/encode/plan.ts';
import { EncodeError, make } from '../../packager/encode/runs.ts';
import { broughtTo, firstPictureOf, openMovie, planCalmly, shelfOf, shelve, together, type OpenMovie, type Shelf } from '../../packager/encode/shelve.ts';
import { steadySound } from '../../packager/encode/steady.ts';
import { maxFragmentBytes } from '../../packager/log/record.ts';
import type { Grid } from '../../packager/mp4/grid.ts';
import { Mp4Error, type Movie } from '../../packager/mp4/movie.ts';
import type { MoviePlan } from '../../packager/mp4/virtual.ts';
import { newId } from '../catalog/ids.ts';
import type { TrackRow, VideoRow, VideoWithTracks } from '../catalog/videos.ts';
import type { Job } from '../jobs/queue.ts';
import type { JobContext, JobHandler } from '../jobs/runner.ts';
import { beside, type Beside } from './beside.ts';
import { failing, IntakeFault } from './failures.ts';
import { makingOf, queueCaptions, queueMaking, type MakePayload, type ShopTools } from './ground.ts';
import { mustSandbox } from './inspect.ts';
import { originalPath, usableTracks, type Usable } from './originals.ts';
import { placeWith, spareBytes } from './place.ts';

/** In which a video is that waits for this step: one that has been done already is not done again. */
const waitsIn = ({ kind }: Step): 'processing' | 'playable' => (kind === 'mezzanine' ? 'playable' : 'processing');

export const makeHandler = (tools: ShopTools): JobHandler => async (job, context) => {
  const payload = job.payload as MakePayload;
  const [step] = payload.steps;
  const found = await tools.catalog.videos.withTracks(payload.video);
  if (!step || !found) return;
  if (found.video.state !== waitsIn(step)) return await goOn(tools, job, found, payload);
  // What lies there is somebody else's by now, and must not be swept away.
  if (await isHandedOn(tools, payload)) return;
  await sweep(tools, found, payload);
  const ground = await beside(tools, found, payload, step);
  const made = await makeMovie(tools, context, payload, step, job.attempts > 1);
  try {
    const plan = await planOf(made, payload, step, ground);
    if (plan === 'not-carried') return await tryOtherwise(tools, job, payload);
    await keep(tools, context, { job, found, payload, step, ground, plan, made });
  } finally {
    await made.close();
  }
};

/** It has been done, and the server was killed before the step behind it was queued. */
const goOn = async ({ catalog }: ShopTools, job: Job, { video }: VideoWithTracks, payload: MakePayload): Promise<void> => {
  if (video.state === 'playable' || video.state === 'ready') await queueCaptions(catalog, payload);
  const steps = payload.steps.slice(1);
  if (steps[0] && video.state === waitsIn(steps[0])) await queueMaking(catalog, job, { ...payload, steps, otherwise: [] });
};

/** What is done in the place of a step, or behind a remux, is queued when that has been done, and before anything is shown. */
const isHandedOn = async ({ catalog }: ShopTools, { video, steps: [step, next], otherwise: [instead], isOtherwise }: MakePayload): Promise<boolean> => {
  if (instead && (await makingOf(catalog, video, instead, true))) return true;
  return step?.kind === 'remux' && next !== undefined && (await makingOf(catalog, video, next, isOtherwise)) !== null;
};

type Made = OpenMovie & { readonly usable: Usable };

/** Sound that was taken over and turns out to have holes, or to be of a kind that players differ in, is encoded after all. */
const makeMovie = async (tools: ShopTools, context: JobContext, payload: MakePayload, step: Step, lenient: boolean): Promise<Made> => {
  const made = await makeOnce(tools, context, payload, step, lenient);
  const { otherSounds } = made.usable;
  if (lenient || !step.sounds.some(({ copy }, index) => copy && otherSounds.includes(index))) return made;
  await made.close();
  const sounds = step.sounds.map((sound, index) => ({ ...sound, copy: sound.copy && !otherSounds.includes(index) }));
  return makeOnce(tools, context, payload, { ...step, sounds }, lenient);
};

const makeOnce = async (tools: ShopTools, { folder, signal, cores }: JobContext, payload: MakePayload, step: Step, lenient: boolean): Promise<Made> => {
  const { video, container, duration } = payload;
  const path = originalPath(tools.folder, video);
  const sandbox = await mustSandbox(tools);
  const place = await placeWith(tools, folder, path);
  // Where the original had to be copied, there is less now.
  const fileBytes = await roomFor(tools, path, step, duration);
  const progress = (done: number): void => tools.tell(video, { step: step.kind, done });
  progress(0);
  const options = { step, threads: Math.ceil(cores) + 1, duration, fileBytes, progress };
  const bench = { sandbox, place, container, signal };
  const result = await make(bench, { ...options, lenient }).catch((error: unknown) => {
    // What ffmpeg would not do exactly, it may do as well as it goes.
    if (lenient || !(error instanceof EncodeError) || error.code !== 'encode-failed' || signal.aborted) throw error;
    return make(bench, { ...options, lenient: true });
  });
  const opened = await openMovie(tools.disk, result);
  try {
    const movie = described(opened.movie, payload, step);
    return { ...opened, movie, usable: await usableTracks(movie, opened.source) };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

/** Bytes that ffmpeg may write; rejects when the disk has no room for them and for the logs that are made of them. */
const roomFor = async ({ disk, folder }: ShopTools, path: string, step: Step, duration: number | null): Promise<number> => {
  const { size } = await stat(path);
  const seconds = duration ?? 6 * 3600;
  const rate = step.sounds.reduce((sum, { bitRate }) => sum + bitRate, step.picture?.how === 'encode' ? step.picture.maxRate : 0);
  const expected = step.picture?.how === 'copy' ? size * 1.05 : (seconds * rate) / 8;
  const { free } = await disk.space(folder);
  // A guess where the duration is not known, and most films stay far below their most.
  const needed = step.picture?.how === 'copy' || duration !== null ? 2 * expected : 0;
  if (free - spareBytes < needed) throw new IntakeFault(failing('no-room'), true);
  return Math.max(2 ** 20, Math.floor(Math.min(free - spareBytes, 4 * expected + 2 ** 30)));
};

/** What the containers of the source said of the sounds, and frames of sound end to end. */
const described = (movie: Movie, { container }: MakePayload, { sounds }: Step): Movie => {
  let next = 0;
  const tracks = movie.tracks.map((track) => {
    if (track.kind !== 'audio') return track;
    const sound = sounds[next];
    next += 1;
    const named = sound ? { ...track, language: sound.language, name: sound.name } : track;
    return sound?.copy && container !== 'mp4' ? steadySound(named) : named;
  });
  return { ...movie, tracks };
};

const planOf = async ({ movie, usable }: Made, { steps, otherwise }: MakePayload, step: Step, { grid }: Beside): Promise<MoviePlan | 'not-carried'> => {
  const copied = step.picture?.how === 'copy';
  // What is played by few needs a rung beside it.
  if (copied && (!usable.picture || (usable.picture.codec === 'hevc') !== steps.length > 1)) return 'not-carried';
  try {
    if (!copied) return await onGrid(movie, grid);
    const plan = await planCalmly(movie);
    return plan.tracks.every(({ sizes }) => sizes.every((size) => size <= maxFragmentBytes)) ? plan : 'not-carried';
  } catch (error) {
    // A rung that has not the key frames of the picture that it stands beside stands alone.
    if (error instanceof Mp4Error && otherwise.length > 0) return 'not-carried';
    throw error;
  }
};

const onGrid = async (movie: Movie, grid: Grid | null): Promise<MoviePlan> => {
  if (!grid || !movie.tracks.some(({ kind }) => kind === 'video')) return planCalmly(movie, { grid });
  return planCalmly(broughtTo(movie, grid, firstPictureOf(await planCalmly(movie))), { grid });
};

/** The pictures cannot be cut where their key frames are: they are encoded. */
const tryOtherwise = async ({ catalog, tell }: ShopTools, job: Job, payload: MakePayload): Promise<void> => {
  const [first] = payload.otherwise;
  if (!first) throw new IntakeFault(failing('encode-failed'));
  await queueMaking(catalog, job, { ...payload, steps: payload.otherwise, otherwise: [], isOtherwise: true, kept: null });
  tell(payload.video, { step: first.kind, done: null });
};

type Keeping = {
  readonly job: Job;
  readonly found: VideoWithTracks;
  readonly payload: MakePayload;
  readonly step: Step;
  readonly ground: Beside;
  readonly plan: MoviePlan;
  readonly made: Made;
};

const keep = async (tools: ShopTools, { folder, signal, holds }: JobContext, { job, found, payload, step, ground, plan, made }: Keeping): Promise<void> => {
  const { catalog, clock, disk, log } = tools;
  const { video } = found;
  const run = video.run ?? ground.run ?? newId();
  const shelf = shelfOf(plan);
  const home = join(tools.folder, video.id);
  const names = await freeNames(tools, home, shelf);
  const logs = join(folder, 'tracks');
  const bytes = await shelve({ plan, source: made.source }, { disk, clock, folder: logs, names, epoch: { run, wallClock: wallClockOf(video) }, signal });
  if (!(await holds())) throw new Error('Somebody else has the job by now.');
  for (const name of names) await disk.rename(join(logs, name), join(home, name));
  await disk.syncFolder(home);
  const named: Shelf = { ...shelf, tracks: shelf.tracks.map((track, index) => ({ ...track, id: names[index] ?? track.id })) };
  const [, next] = payload.steps;
  if (step.kind === 'remux' && next) {
    const isNew = await queueMaking(catalog, job, { ...payload, steps: payload.steps.slice(1), kept: { ...named, bytes } });
    if (!isNew) return drop(tools, home, names);
    tools.tell(video.id, { step: next.kind, done: null });
    return;
  }
  const all = together(ground.shelf ?? { ...named, tracks: [] }, named);
  const tracks = inOrder([...ground.rows, ...named.tracks.map(rowOf)]);
  const facts = { run, policy: all.policy, durationMs: all.durationMs };
  const isReady = !next && !(await tools.behind.hasMore({ ...found, video: { ...video, ...facts }, tracks }));
  const done = await catalog.videos.become(video.id, [waitsIn(step)], {
    ...{ ...facts, state: isReady ? 'ready' : 'playable', error: null },
    startedAt: wallClockOf(video),
    bytes: Math.max(video.bytes, video.originalBytes) + ground.bytes + bytes,
    tracks,
  });
  if (!done) {
    log.info({ video: video.id }, 'What was made of a video is not wanted any more.');
    return drop(tools, home, names);
  }
  tools.outdated(video.id);
  // Cancelled meanwhile: it plays as it is, and nothing more of it is begun.
  if (!(await holds())) return;
  // Not sooner: it would find a video that does not wait for it yet, and take that for work that has been done.
  await queueCaptions(catalog, payload);
  if (next) await queueMaking(catalog, job, { ...payload, steps: payload.steps.slice(1), otherwise: [] });
  else tools.behind.playable(video.id);
  tools.tell(video.id, next ? { step: next.kind, done: null } : null);
};

const wallClockOf = ({ startedAt, createdAt }: VideoRow): number => startedAt ?? createdAt;

const rowOf = (track: Shelf['tracks'][number]): TrackRow => ({ ...track, language: track.language ?? null, name: track.name ?? null, original: null });

/** Pictures, the best first, ahead of sounds. */
const inOrder = (rows: readonly TrackRow[]): TrackRow[] => {
  const pictures = rows.filter(({ kind }) => kind === 'video').toSorted((a, b) => b.averageBandwidth - a.averageBandwidth);
  return [...pictures, ...rows.filter(({ kind }) => kind !== 'video')];
};

/** By the time, so that they have never been used before, and no cache gives out one track for another. */
const freeNames = async ({ disk, clock }: ShopTools, home: string, { tracks }: Shelf): Promise<string[]> => {
  const taken = new Set(await disk.list(home));
  let time = clock.wall();
  return tracks.map(({ kind }) => {
    const letter = kind === 'video' ? 'v' : 'a';
    while (taken.has(`${letter}${time.toString(36)}`)) time += 1;
    const name = `${letter}${time.toString(36)}`;
    taken.add(name);
    return name;
  });
};

const drop = async ({ log }: ShopTools, home: string, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    await rm(join(home, name), { recursive: true, force: true }).catch((error: unknown) => log.warn({ folder: home, track: name, err: error }, 'A track that nobody wants was not removed.'));
  }
};

/** Names that are given here, and nowhere else. */
const ours = /^[va][0-9a-z]{7,15}$/;

/** A kill between the moving of tracks and their naming left them where nobody looks for them. */
const sweep = async (tools: ShopTools, { video, tracks }: VideoWithTracks, { kept }: MakePayload): Promise<void> => {
  const home = join(tools.folder, video.id);
  const known = new Set([...tracks, ...(kept?.tracks ?? [])].map(({ id }) => id));
  await drop(tools, home, (await tools.disk.list(home)).filter((name) => ours.test(name) && !known.has(name)));
};
