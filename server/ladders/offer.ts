/** What a ladder gives and what it takes: for whoever chooses one before there is anything to encode. Pure. */
import { coresOf, type CoreCost } from '../../packager/live/ladder-cost.ts';
import { planAuto, planRungs, type LadderSource, type Plan, type RungWish } from '../../packager/live/ladder-plan.ts';

export type OfferedLadder = {
  readonly name: string;
  /** The highest first; of `auto`, those that the source below would get. */
  readonly rungs: readonly RungWish[];
  /** That it keeps busy for the source below; null: nothing has been measured. */
  readonly cores: number | null;
  /** How many of these rungs there would be if nothing else were encoded; null: nothing has been measured. */
  readonly carried: number | null;
};

/** What most people send. */
const usualSource: LadderSource = { width: 1920, height: 1080, frameRate: 30, standard: true };

/** As many of the lower rungs as there are cores for: nothing is promised that cannot be carried. */
export const withinCores = (plan: Plan, source: LadderSource, cores: number, cost: CoreCost): Plan => {
  let fits = plan;
  while (coresOf(fits, source, cost) > cores) fits = fits.slice(1);
  return fits;
};

/** `auto` says what it would choose; `wishes` is null for it. */
export const offerOf = (name: string, wishes: readonly RungWish[] | null, total: number, cost: CoreCost | null): OfferedLadder => {
  if (!cost) return { name, rungs: wishes ?? [], cores: null, carried: null };
  const plan = wishes ? planRungs(wishes, usualSource) : planAuto(usualSource, total, cost);
  const rungs = wishes ?? plan.map(({ width, height, bitRate, preset, mostPictures, frameRate }) => ({ height: Math.min(width, height), bitRate, preset, mostPictures: mostPictures ?? frameRate }));
  return { name, rungs, cores: hundredths(coresOf(plan, usualSource, cost)), carried: withinCores(plan, usualSource, total, cost).length };
};

/** It is an estimate: more figures would say more than anybody knows. */
export const hundredths = (cores: number): number => Math.round(cores * 100) / 100;
