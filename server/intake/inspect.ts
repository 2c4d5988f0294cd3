/** The job that decides: looks at an original that cannot be shown as it is, and says which steps make it so. */
import type { Container } from '../../packager/media/sniff.ts';
import { captionsIn } from '../../packager/encode/captions.ts';
import { planOf, type PlanFacts } from '../../packager/encode/plan.ts';
import { inspect } from '../../packager/encode/runs.ts';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { failing, failureOfIndex, IntakeFault } from './failures.ts';
import { queueMaking, type InspectPayload, type ShopTools } from './ground.ts';
import { containerOf, originalPath, usableOf } from './originals.ts';
import { placeWith } from './place.ts';

export const mustSandbox = async (tools: Pick<ShopTools, 'sandbox'>): Promise<Sandbox> => {
  const sandbox = await tools.sandbox;
  if (typeof sandbox !== 'string') return sandbox;
  throw new IntakeFault(failing('encode-failed', `This server cannot convert videos: ${sandbox}.`));
};

export const inspectHandler = (tools: ShopTools): JobHandler => async (job, { signal, folder }) => {
  const { catalog, disk, tell } = tools;
  const { video } = job.payload as InspectPayload;
  const row = await catalog.videos.get(video);
  if (row?.state !== 'processing') return;
  tell(video, { step: 'inspect', done: null });
  const path = originalPath(tools.folder, video);
  const container: Container | null = await containerOf(disk, path);
  if (container === null) throw new IntakeFault(failing('not-a-video'));
  const original = container === 'mp4' ? await seen(tools, path) : nothing;
  const sandbox = await mustSandbox(tools);
  const place = await placeWith(tools, folder, path);
  const { inspection, trouble } = await inspect({ sandbox, place, container, signal });
  const facts: PlanFacts = { container, inspection, original: original.shown, mayCopy: original.mayCopy, filters: sandbox.programs.filters };
  const plan = planOf(facts);
  if (plan.kind === 'unusable') throw (plan.code === 'no-media' ? trouble : null) ?? new IntakeFault({ code: plan.code, message: plan.why });
  const [first] = plan.steps;
  // Pictures that are taken over may turn out not to be what can be cut.
  const second = first?.kind === 'remux' || first?.original.picture ? planOf({ ...facts, original: nothing.shown, mayCopy: false }) : null;
  await queueMaking(catalog, job, {
    ...{ video, container, duration: inspection.duration, isOtherwise: false, kept: null },
    steps: plan.steps,
    texts: captionsIn(inspection, container),
    otherwise: second?.kind === 'steps' ? second.steps : [],
  });
  if (first) tell(video, { step: first.kind, done: null });
};

type Seen = { readonly shown: PlanFacts['original']; readonly mayCopy: boolean };
const nothing: Seen = { shown: { picture: null, sound: false }, mayCopy: true };

/** What our own index says of an MP4. Some that it cannot make sense of, ffmpeg can. */
const seen = async ({ disk }: ShopTools, path: string): Promise<Seen> => {
  try {
    const { picture, otherSounds, hasPicture } = await usableOf(disk, path);
    // Pictures that it has understood and will not cut are not cut any better in another container.
    return { shown: { picture: picture?.codec ?? null, sound: otherSounds.length === 0 }, mayCopy: !hasPicture };
  } catch (error) {
    const failure = failureOfIndex(error);
    if (failure) throw new IntakeFault(failure, false, { cause: error });
    return nothing;
  }
};
