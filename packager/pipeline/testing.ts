/** A pipeline as it comes with the server, and facts of videos, for tests. */
import type { PipelineFacts, PlannedJob, PlannedPicture, PlannedSound } from './plan.ts';
import type { RungThere } from './rungs.ts';
import { kindRules, lowestPriority, type Pipeline, type Task, type TaskOptions } from './spec.ts';

export const task = (name: string, options: TaskOptions, needs: readonly string[] = []): Task => {
  const { classes, priority, attempts } = kindRules[options.kind];
  return { ...options, name, needs, class: classes[0], priority: options.kind === 'encode' && options.rungs === 'lowest' ? lowestPriority : priority, attempts };
};

export const watermark: TaskOptions = { kind: 'watermark', image: { path: '/etc/millrace/mark.png', digest: 'ab'.repeat(32) }, place: 'top-right', opacity: 0.6 };

/** `mark`: every picture carries a watermark. */
export const usualPipeline = (mark = false): Pipeline => ({
  name: 'default',
  tasks: [
    ...(mark ? [task('mark', watermark)] : []),
    task('lowest', { kind: 'encode', rungs: 'lowest' }, mark ? ['mark'] : []),
    task('lowest-track', { kind: 'join' }, ['lowest']),
    task('sound', { kind: 'sound' }),
    task('storyboard', { kind: 'storyboard', every: null, columns: 5, rows: 5, width: 160 }, ['lowest-track']),
    task('posters', { kind: 'posters', count: 6 }, ['lowest-track']),
    task('preview', { kind: 'preview', seconds: 3 }, ['lowest-track']),
    task('texts', { kind: 'texts' }),
    task('others', { kind: 'encode', rungs: 'others' }, mark ? ['mark'] : []),
    task('others-tracks', { kind: 'join' }, ['others']),
  ],
});

const wish = (height: number, bitRate: number): PipelineFacts['ladder'][number] => ({ height, bitRate, preset: 'veryfast', mostPictures: 30 });
export const standardLadder: PipelineFacts['ladder'] = [wish(720, 2_500_000), wish(480, 1_100_000), wish(360, 700_000), wish(240, 350_000)];

export const picture = (more: Partial<PlannedPicture> = {}): PlannedPicture => ({
  ...{ track: 'v0', source: { kind: 'original', path: 'original', track: 1 }, width: 1920, height: 1080, frameRate: 30, standard: true },
  treatment: { deinterlace: false, toneMap: null },
  chunks: [
    { epoch: 0, from: 0, to: 15, seconds: 30 },
    { epoch: 0, from: 15, to: 30, seconds: 30 },
    { epoch: 0, from: 30, to: 40, seconds: 20 },
  ],
  ...more,
});

export const soundPlace: PlannedSound['place'] = { lead: { kind: 'original', path: 'original', track: 1 }, run: 'first', wallClock: 1_000 };

export const facts = (more: Partial<PipelineFacts> = {}): PipelineFacts => ({
  ...{ video: 'film', version: 'one', turn: 0, picture: picture(), sounds: [{ track: 'a0', source: { kind: 'original', path: 'original', track: 2 }, place: soundPlace, make: null }] },
  ...{ ladder: standardLadder, there: [], rungs: 'all', mayHaveTexts: true, pictured: { storyboard: null, posters: null, preview: null }, inMs: null, outMs: null, duration: 80 },
  ...more,
});

export const there = (height: number, more: Partial<RungThere> = {}): RungThere => ({
  ...{ track: `v${height}`, source: { kind: 'log', folder: `v${height}` }, width: Math.round((height * 8) / 9) * 2, height, isWhole: true },
  ...more,
});

/** As the catalog lists what has been joined. */
export const joined = (jobs: readonly PlannedJob[]): RungThere[] =>
  jobs.flatMap(({ payload }) => ('rung' in payload ? [there(payload.rung.height, { track: payload.track, width: payload.rung.width, source: { kind: 'log', folder: payload.track } })] : []));
