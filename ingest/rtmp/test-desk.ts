/** For tests: a desk that admits one kind of key, and sinks that remember everything they were given. */
import type {
  EndReason,
  EvictReason,
  LineReport,
  PublishDesk,
  PublishRequest,
  PublishSink,
  PublishVerdict,
} from '../../packager/media/publish.ts';
import type { WireEvent } from '../../packager/media/event.ts';
import type { AccessUnit, MediaKind, TrackConfig } from '../../packager/media/unit.ts';

export class RecordingSink implements PublishSink {
  readonly tracks: TrackConfig[] = [];
  readonly units: AccessUnit[] = [];
  readonly hints: Readonly<Record<string, unknown>>[] = [];
  readonly events: WireEvent[] = [];
  readonly lines: LineReport[] = [];
  readonly left: string[] = [];
  readonly ends: EndReason[] = [];
  readonly ended: Promise<EndReason>;
  count = 0;
  onUnit: (unit: AccessUnit) => void = () => {};
  onEnd: (reason: EndReason) => void = () => {};
  #end: (reason: EndReason) => void = () => {};
  #full: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  track(config: TrackConfig): void {
    this.tracks.push(config);
  }
  write(unit: AccessUnit): boolean {
    this.count += 1;
    this.units.push(unit);
    this.onUnit(unit);
    return this.#full === undefined;
  }
  /** From now on there is no room. */
  fill(): void {
    this.#full ??= Promise.withResolvers<void>();
  }
  drain(): void {
    this.#full?.resolve();
    this.#full = undefined;
  }
  async drained(): Promise<void> {
    await this.#full?.promise;
  }
  hint(metadata: Readonly<Record<string, unknown>>): void {
    this.hints.push(metadata);
  }
  event(event: WireEvent): void {
    this.events.push(event);
  }
  line(report: LineReport): void {
    this.lines.push(report);
  }
  uncarried(media: MediaKind, codec: string): void {
    this.left.push(`${media} ${codec}`);
  }
  end(reason: EndReason): void {
    this.ends.push(reason);
    this.onEnd(reason);
    this.#end(reason);
  }
}

export class RecordingDesk implements PublishDesk {
  readonly requests: PublishRequest[] = [];
  readonly sinks: RecordingSink[] = [];
  /** Replaced by tests that want to refuse, or to wait. */
  decide: (request: PublishRequest) => PublishVerdict | Promise<PublishVerdict> = (request) =>
    request.key.startsWith('good') ? this.welcome() : { ok: false, code: 'unknown-key', message: 'no such stream key' };
  #watchers: ((sink: RecordingSink) => void)[] = [];

  welcome(): PublishVerdict {
    const sink = new RecordingSink();
    this.sinks.push(sink);
    for (const watcher of this.#watchers.splice(0)) watcher(sink);
    return { ok: true, sink };
  }

  async admit(request: PublishRequest): Promise<PublishVerdict> {
    this.requests.push(request);
    return await this.decide(request);
  }

  nextSink(): Promise<RecordingSink> {
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  evict(index: number, reason: EvictReason): void {
    this.requests[index]?.evict(reason);
  }
}
