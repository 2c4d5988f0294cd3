/**
 * Segments in MPEG-TS: made of the logs when somebody asks, once for all who do, and kept as if they had been read.
 * Making one takes some milliseconds of the thread that also takes in what publishers send, so one is made at a time,
 * each in a turn of its own.
 */
import { setImmediate } from 'node:timers/promises';
import { CmafError } from '../../packager/cmaf/cmaf-error.ts';
import { allowedHeight } from '../../packager/hls/multivariant.ts';
import { isCarried } from '../../packager/hls/ts.ts';
import { readTsSegment, tsSegmentPlan, type TsSegmentPlan } from '../../packager/hls/ts-segment.ts';
import { findTrack, runOf, segmentByMsn } from '../../packager/hls/window.ts';
import { LogError, type TrackLogReader } from '../../packager/log/types.ts';
import { CodecError } from '../../packager/media/codec-error.ts';
import { onlySlot, slotOf, slotsOf } from '../../packager/protect/keys.ts';
import { TsError } from '../../packager/mpegts/ts-error.ts';
import { isWithin } from './cut.ts';
import type { Exchange } from './exchange.ts';
import { isAtEdge } from './find-media.ts';
import type { MediaFile } from './media-files.ts';
import type { PlayPath } from './path.ts';
import type { Presentation } from './presentation.ts';
import { problems, type Problem } from './problem.ts';
import { sealWhole } from './sealing.ts';
import type { Needs, Opened, Service } from './service.ts';
import { SingleFlight } from './single-flight.ts';

export type TransportPath = Extract<PlayPath, { kind: 'transport' }>;

const type = 'video/mp2t';
const atOnce = 1;
/** Some seconds of work. */
const longestLine = 200;

export class TransportSegments {
  readonly #service: Service;
  readonly #line = new SingleFlight<MediaFile>(atOnce);

  constructor(service: Service) {
    this.#service = service;
  }

  give(exchange: Exchange, path: TransportPath): void {
    const key = `${path.video}/ts/${path.track}/${path.file}`;
    const known = exchange.maxHeight === null ? this.#service.files.cached(key) : undefined;
    if (known) return exchange.media(known);
    this.#service.open(exchange, path.video, needsOf(path), (opened) => this.#fromPresentation(exchange, opened, path, key), path.track);
  }

  #fromPresentation(exchange: Exchange, { presentation, sealed }: Opened, { track: id, name }: TransportPath, key: string): void {
    const { files } = this.#service;
    const snapshot = presentation.snapshot();
    const track = findTrack(snapshot, id);
    if (sealed && sealed.scheme !== 'aes-128') return exchange.problem(problems.noSealedTransport);
    if (!track) return exchange.problem(problems.noTrack);
    if (!isCarried(snapshot, track)) return exchange.problem(problems.noTransport);
    if (!allowedHeight(track, exchange.maxHeight)) return exchange.problem(problems.height);
    const known = files.cached(key);
    if (known) return exchange.media(known);
    const segment = segmentByMsn(track, name.msn);
    if (name.run !== (segment ? runOf(snapshot, segment.epoch) : snapshot.run)) return exchange.problem(problems.otherRun);
    if (segment && !isWithin(snapshot.cut, track, segment)) return exchange.problem(problems.trimmed);
    const plan = tsSegmentPlan(snapshot, id, name.msn);
    if (plan.kind !== 'media') return exchange.problem(refusals[plan.kind]);
    const seal = sealed && sealWhole(sealed, slotOf(sealed, name.msn));
    if (this.#line.waiting >= longestLine) return exchange.problem(problems.crowded);
    this.#service.later(exchange, async () => {
      try {
        const eager = seal !== null || isAtEdge(snapshot, track, name.msn);
        exchange.media(await files.make(key, type, eager, async () => (seal ? seal(await made(plan, presentation)) : made(plan, presentation)), this.#line));
      } catch (error) {
        const problem = unfit(error);
        if (!problem) throw error;
        exchange.problem(problem);
      }
    });
  }
}

const needsOf = ({ name }: TransportPath): Needs => (sealed, snapshot) => {
  const slot = slotOf(sealed, name.msn);
  const all = slotsOf(sealed, snapshot);
  return slot >= all.first && slot <= all.last ? sealed.ring.prepare(onlySlot(all, slot)) : null;
};

const refusals = { 'not-yet': problems.notYet, unknown: problems.unknown, gap: problems.gap } as const;

const made = async (plan: TsSegmentPlan, presentation: Presentation): Promise<Buffer> => {
  // Whatever came in meanwhile has its turn first.
  await setImmediate();
  return readTsSegment(plan, (track): TrackLogReader => {
    const reader = presentation.reader(track);
    if (!reader) throw new LogError('gone', `there is no log of ${track}`);
    return reader;
  });
};

/** Media that MPEG-TS cannot carry: asked for again it would be no better, and players do not ask again after a 404. */
const unfit = (error: unknown): Problem | null =>
  error instanceof TsError || error instanceof CmafError || error instanceof CodecError
    ? { status: 404, code: `ts-${error.code}`, detail: 'This segment cannot be carried in MPEG-TS.' }
    : null;
