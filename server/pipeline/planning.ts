/** What is to be made behind a video, by the ladder that it was given and the pipeline that the operator chose. */
import { plan, type PlannedJob } from '../../packager/pipeline/plan.ts';
import { makesTracks, type Pipeline } from '../../packager/pipeline/spec.ts';
import type { Ladders } from '../ladders/read.ts';
import { factsOfVideo, rungsOfLadder } from './facts.ts';
import type { OpenVideo } from './types.ts';

export type PlanningTools = { readonly ladders: Ladders; readonly pipeline: Pipeline };

/** A video is ready when these are done. */
export const isMaking = ({ kind }: { readonly kind: string }): boolean => makesTracks(kind);

export const jobsFor = ({ ladders, pipeline }: PlanningTools, open: OpenVideo, rungs: 'lowest' | 'all', filters: ReadonlySet<string>): readonly PlannedJob[] =>
  plan(pipeline, { ...factsOfVideo(open, rungsOfLadder(ladders, open.found.video.ladder), filters), rungs });
