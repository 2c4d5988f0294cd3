/** For tests: a publisher into a channel's health, on a clock that moves with its stamps. */
import { FakeClock } from '../../packager/clock.ts';
import { audioConfig, videoConfig } from '../../packager/live/pretend-sender.ts';
import type { EndReason, LineReport, PublishRequest, PublishSink } from '../../packager/media/publish.ts';
import { rtmpClock, type AccessUnit } from '../../packager/media/unit.ts';
import { ChannelHealth, type Tally } from './channel-health.ts';
import type { IngestFacts } from './facts.ts';
import type { FindingCode } from './findings.ts';

const deaf: PublishSink = { track: () => undefined, write: () => true, drained: async () => undefined, event: () => undefined, hint: () => undefined, end: () => undefined };
const uncounted: Tally = { session: () => undefined, reconnect: () => undefined, unit: () => undefined };

export const requestOf = (protocol: PublishRequest['protocol'] = 'rtmp'): PublishRequest => ({
  ...{ protocol, key: 'secret', address: '192.0.2.1', software: 'OBS', clock: rtmpClock },
  evict: () => undefined,
});

export class HealthStage {
  readonly clock = new FakeClock();
  readonly health = new ChannelHealth(this.clock, uncounted);
  sink: PublishSink = deaf;
  #nextLook = 0;

  connect({ tracks = [videoConfig, audioConfig()], protocol = 'rtmp' as PublishRequest['protocol'] } = {}): this {
    this.sink = this.health.watch(requestOf(protocol), deaf);
    for (const track of tracks) this.sink.track(track);
    return this;
  }
  /** At the pace of their stamps, or so many times as fast; looked at each second. */
  send(units: readonly AccessUnit[], pace = 1): this {
    let last = units[0]?.dts ?? 0;
    for (const unit of units) {
      this.pass(Math.max(0, unit.dts - last) / pace);
      last = Math.max(last, unit.dts);
      this.sink.write(unit);
    }
    return this;
  }
  /** Nothing comes for so long. */
  pass(ms: number): this {
    const end = this.clock.now() + ms;
    while (this.#nextLook <= end) {
      this.clock.advance(this.#nextLook - this.clock.now());
      this.health.look();
      this.#nextLook += 1_000;
    }
    this.clock.advance(end - this.clock.now());
    return this;
  }
  end(reason: EndReason): this {
    this.sink.end(reason);
    return this;
  }
  get facts(): IngestFacts {
    return this.health.view.facts;
  }
  get codes(): FindingCode[] {
    this.health.look();
    return this.health.findings.map(({ code }) => code);
  }
}

export const lineReport = (said: Partial<LineReport>): LineReport => ({
  ...{ packets: 0, bytes: 0, lost: 0, recovered: 0, dropped: 0, again: 0, undecrypted: 0, damaged: 0, rttMs: 20, latencyMs: 1_200, encrypted: false },
  ...said,
});
