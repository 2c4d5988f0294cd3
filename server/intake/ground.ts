/** What the parts of the workshop share: the shop's tools, and what a job is told. */
import type { Clock } from '../../packager/clock.ts';
import type { Container } from '../../packager/media/sniff.ts';
import type { TextStream } from '../../packager/encode/inspection.ts';
import type { Step } from '../../packager/encode/plan.ts';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import type { Shelf } from '../../packager/encode/shelve.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { RecordedCaptions } from '../captions/recorded-captions.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Job } from '../jobs/queue.ts';
import type { ServerLog } from '../log.ts';
import type { Behind } from '../pipeline/types.ts';
import type { Progress } from './types.ts';

export type ShopTools = {
  readonly catalog: Pick<Catalog, 'videos' | 'jobs'>;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly folder: string;
  /** A sentence without its end: why nothing is converted here. Tried out while the server starts. */
  readonly sandbox: Promise<Sandbox | string>;
  /** What is played of it is to be opened anew. */
  readonly outdated: (video: string) => void;
  /** What is made behind a video that has its best picture. */
  readonly behind: Pick<Behind, 'playable' | 'hasMore' | 'progress'>;
  /** Where subtitles of originals are put. */
  readonly captions: Pick<RecordedCaptions, 'list' | 'put'>;
  /** Null: over. */
  readonly tell: (video: string, progress: Progress | null) => void;
};

export type InspectPayload = { readonly video: string };

export type MakePayload = {
  readonly video: string;
  readonly container: Container;
  /** Seconds; null: not known. */
  readonly duration: number | null;
  /** What is to be done now, and after it. */
  readonly steps: readonly Step[];
  /** Subtitles in it that become captions as soon as it can be played. Absent: it was queued before they were looked for. */
  readonly texts?: readonly TextStream[];
  /** In place of all that, where the pictures turn out not to be what can be taken over. */
  readonly otherwise: readonly Step[];
  /** It has come to that. */
  readonly isOtherwise: boolean;
  /** Tracks that are whole and wait in the folder of the video until it can be played everywhere. */
  readonly kept: (Shelf & { readonly bytes: number }) | null;
};

export type CaptionsPayload = Pick<MakePayload, 'video' | 'container'> & { readonly texts: readonly TextStream[] };

const classOf = ({ kind }: Step): 'first' | 'rest' => (kind === 'mezzanine' ? 'rest' : 'first');
/** A new video's quickest way to be seen goes first. */
const priorities: { readonly [kind in Step['kind']]: number } = { remux: 90, audio: 80, lowest: 70, mezzanine: 30 };
/** So often, minutes apart at last: a disk that is full may have room again. */
export const mostAttempts = 8;

/** Idempotent. */
export const queueInspection = async ({ jobs }: Pick<Catalog, 'jobs'>, video: string): Promise<void> => {
  const payload: InspectPayload = { video };
  await jobs.enqueue({ key: keyOf(video, 'inspect'), class: 'inspect', kind: 'inspect', payload, maxAttempts: 3, videoId: video, task: 'inspect' });
};

/** The job that a video came into the workshop by; null: it never did. */
export const inspectionOf = ({ jobs }: Pick<Catalog, 'jobs'>, video: string): Promise<Job | null> => jobs.byKey(keyOf(video, 'inspect'));

/** The step that is next, behind the job that says so. False: it had been queued before, or that job was cancelled in its last moment. */
export const queueMaking = async ({ jobs }: Pick<Catalog, 'jobs'>, { id }: Pick<Job, 'id'>, payload: MakePayload): Promise<boolean> => {
  const [step] = payload.steps;
  if (!step) throw new Error('There is no step to be queued.');
  const weight = Math.ceil(payload.duration ?? 1);
  const job = { class: classOf(step), kind: 'make', payload, priority: priorities[step.kind], maxAttempts: mostAttempts, videoId: payload.video, task: step.kind, weight };
  return jobs.handOn(id, { ...job, key: keyOf(payload.video, step.kind, payload.isOtherwise) });
};

/** As soon as there is something that they can stand beside. Idempotent. */
export const queueCaptions = async ({ jobs }: Pick<Catalog, 'jobs'>, { video, container, texts = [] }: Pick<MakePayload, 'video' | 'container' | 'texts'>): Promise<void> => {
  if (texts.length === 0) return;
  const payload: CaptionsPayload = { video, container, texts };
  await jobs.enqueue({ key: `captions:${video}`, class: 'captions', kind: 'captions', payload, maxAttempts: 3, videoId: video, task: 'captions' });
};

/** The job of a step; null: it has never been queued. */
export const makingOf = ({ jobs }: Pick<Catalog, 'jobs'>, video: string, { kind }: Step, isOtherwise: boolean): Promise<Job | null> => jobs.byKey(keyOf(video, kind, isOtherwise));

const keyOf = (video: string, kind: Step['kind'] | 'inspect', isOtherwise = false): string => `${kind}${isOtherwise ? '-otherwise' : ''}:${video}`;

/** Every job that there can be for a video. */
export const keysOf = (video: string): string[] => (['inspect', 'remux', 'audio', 'lowest', 'mezzanine'] as const).flatMap((kind) => [keyOf(video, kind), keyOf(video, kind, true)]);
