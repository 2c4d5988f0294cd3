/**
 * The WebSocket topic `work`, for admins: what is done just now, by whom, and how much there is to be done. Whole, once a
 * second while something changes. `snapshot` and `update` carry {counts, running, workers}.
 */
import type { Clock } from '../../packager/clock.ts';
import type { WorkHooks } from '../api/hooks.ts';
import { jobViews, workerViews } from '../api/routes/work-view.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { WebSockets } from '../ws/websockets.ts';
import { openStates, overStates, type JobCount } from './queue.ts';

type Parts = {
  readonly sockets: Pick<WebSockets, 'topics' | 'publish' | 'isHeard'>;
  readonly catalog: Pick<Catalog, 'jobs' | 'videos'>;
  readonly work: Pick<WorkHooks, 'workers'>;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
};

const everyMs = 1_000;
/** Of what is over there is much, and nobody waits for how much. */
const overEveryMs = 10_000;
const topic = 'work';
/** Nobody has so many cores. */
const mostRunning = 200;

export class WorkTopic {
  readonly #p: Parts;
  readonly #unlisten: () => void;
  #changed = false;
  /** Who there was when it was told last: they come and go without a job. */
  #known = '';
  #over: { readonly at: number; readonly counts: Promise<readonly JobCount[]> } | null = null;
  /** Since those were counted something has changed. */
  #isOverOld = false;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(parts: Parts) {
    this.#p = parts;
    parts.sockets.topics.define(topic, {
      authorise: async (name, who) => (name === '' && who?.role === 'admin' ? '' : null),
      snapshot: () => this.#view(),
    });
    this.#unlisten = parts.catalog.jobs.onChange(() => {
      this.#changed = true;
      this.#isOverOld = true;
    });
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#unlisten();
    this.#cancel();
  }

  #look(): void {
    this.#cancel = this.#p.clock.after(everyMs, () => {
      this.#tell()
        .catch(this.#p.failed)
        .finally(() => {
          if (!this.#stopped) this.#look();
        });
    });
  }

  async #tell(): Promise<void> {
    const { sockets, work } = this.#p;
    if (!sockets.isHeard(topic)) return;
    const there = JSON.stringify(work.workers().map(({ id, running }) => [id, running.length]));
    if (!this.#changed && there === this.#known && !this.#isOverDue()) return;
    this.#changed = false;
    this.#known = there;
    sockets.publish(topic, 'update', await this.#view());
  }

  #isOverDue(): boolean {
    return this.#over !== null && this.#isOverOld && this.#p.clock.now() - this.#over.at >= overEveryMs;
  }

  #countOver(): Promise<readonly JobCount[]> {
    if (this.#over !== null && !this.#isOverDue()) return this.#over.counts;
    const { catalog, clock } = this.#p;
    this.#isOverOld = false;
    const counts = catalog.jobs.counts(overStates);
    this.#over = { at: clock.now(), counts };
    counts.catch(() => (this.#over = null));
    return counts;
  }

  async #view(): Promise<object> {
    const { catalog, work } = this.#p;
    const [open, over, running, workers] = await Promise.all([catalog.jobs.counts(openStates), this.#countOver(), catalog.jobs.list({ limit: mostRunning, after: null, state: 'leased' }), workerViews(catalog, work.workers())]);
    return { counts: [...open, ...over], running: await jobViews(catalog, running.items), workers };
  }
}
