/**
 * One caller that was let in, on the side of the socket: takes packets, asks for what is missing, and hands on what
 * is due. Pure but for its link: whoever owns the socket gives it packets and the time (microseconds), and calls
 * `tick` every 10 ms.
 */
import { keyMaterialRequest, keyMaterialResponse, controlType, writeControl, type Control, type ControlPacket, type DataPacket } from './packet.ts';
import { readKeyMaterial, unwrap, wrappingKey, type SessionKeys } from './key-material.ts';
import { KeyRing } from './key-ring.ts';
import type { SrtLimits } from './limits.ts';
import { PlayClock } from './play-clock.ts';
import { lossReport, ReceiveWindow, type Range } from './receive-window.ts';
import { RoundTrip } from './round-trip.ts';
import { distance } from './sequence.ts';

export type Link = {
  readonly send: (bytes: Buffer) => void;
  /** Media in order, and how many packets are missing before it. */
  readonly deliver: (parts: readonly Buffer[], missing: number) => void;
  readonly closed: (reason: 'announced' | 'lost') => void;
};

export type ConnectionFacts = {
  /** The peer's socket, and the number of its first packet. */
  readonly peer: number;
  readonly initialSequence: number;
  /** Of the handshake that was accepted, in the peer's time. */
  readonly timestamp: number;
  readonly latencyMs: number;
  readonly passphrase: string | null;
  readonly keys: SessionKeys | null;
};

/** Since the beginning; they only grow. Microseconds where a time is meant. */
export type SrtStatistics = {
  readonly packets: number;
  readonly bytes: number;
  /** Found missing, asked for and come after all, given up, come twice, come too late, beyond what is held, not to be decrypted. */
  readonly lost: number;
  readonly recovered: number;
  readonly dropped: number;
  readonly doubled: number;
  readonly late: number;
  readonly beyond: number;
  readonly undecrypted: number;
  readonly again: number;
  readonly rekeyed: number;
  readonly rtt: number;
  readonly latencyMs: number;
  readonly drift: number;
};

/** 4.8.1: a light one in between when many packets come in a tick. */
const lightEvery = 64;
const keepAliveMicros = 1_000_000;
/** 4.8.2: as libsrt counts it. */
const leastLossMicros = 20_000;
/** Words of a loss report that fit a packet; two for a range. */
const mostRanges = 180;
/** Deriving a key takes a millisecond, and a peer may ask for it as often as it likes. */
const rekeyMicros = 250_000;
const rateMicros = 1_000_000;

export class Connection {
  readonly #facts: ConnectionFacts;
  readonly #limits: SrtLimits;
  readonly #link: Link;
  readonly #window: ReceiveWindow;
  readonly #clock: PlayClock;
  readonly #trip = new RoundTrip();
  readonly #since: number;
  readonly #keys: KeyRing;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #heardAt: number;
  #saidAt: number;
  #credit: number;
  /** Acknowledgements: the number of the last, what it said, and when. */
  #ackNumber = 0;
  #acked: number;
  #ackedAt = 0;
  #confirmed: number;
  #sinceLight = 0;
  /** Packets that are missing before what is handed on next. */
  #missing = 0;
  #rekeyAt = Number.NEGATIVE_INFINITY;
  #rate = { at: 0, packets: 0, bytes: 0, perSecond: 0, bytesPerSecond: 0 };
  readonly #count = { packets: 0, bytes: 0, lost: 0, recovered: 0, dropped: 0, doubled: 0, late: 0, beyond: 0, undecrypted: 0, again: 0, rekeyed: 0 };

  constructor(facts: ConnectionFacts, limits: SrtLimits, link: Link, now: number) {
    this.#facts = facts;
    this.#limits = limits;
    this.#link = link;
    this.#keys = new KeyRing(facts.keys ?? {}, facts.initialSequence);
    this.#window = new ReceiveWindow(limits.window, facts.initialSequence);
    this.#clock = new PlayClock(now, facts.timestamp, facts.latencyMs * 1000);
    this.#since = now;
    this.#heardAt = now;
    this.#saidAt = now;
    this.#credit = limits.creditBytes;
    this.#acked = facts.initialSequence;
    this.#confirmed = facts.initialSequence;
    this.#rate.at = now;
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  get statistics(): SrtStatistics {
    return { ...this.#count, rtt: Math.round(this.#trip.rtt), latencyMs: this.#facts.latencyMs, drift: this.#clock.drift };
  }

  onData(packet: DataPacket, now: number): void {
    if (this.#state !== 'open') return;
    this.#heardAt = now;
    this.#count.packets += 1;
    this.#count.bytes += packet.body.length;
    if (packet.again) this.#count.again += 1;
    const { key, body } = packet;
    // What comes in the clear on an encrypted connection does not come from the peer; nor the other way round.
    if ((this.#facts.passphrase === null) !== (key === 0)) {
      this.#count.undecrypted += 1;
      return;
    }
    this.#keys.saw(key, packet.sequence);
    const gap = this.#window.gapBefore(packet.sequence);
    const put = this.#window.put(packet.sequence, { due: this.#clock.dueAt(packet.timestamp, now), key, body }, now);
    if (put === 'recovered' || put === 'late' || put === 'beyond') this.#count[put] += 1;
    if (put === 'double') this.#count.doubled += 1;
    if (gap && put === 'new') {
      this.#count.lost += distance(gap.to, gap.from) + 1;
      this.#report([gap], now);
    }
    this.#sinceLight += 1;
    if (this.#sinceLight >= lightEvery) this.#acknowledgeLightly(now);
  }

  onControl(packet: ControlPacket, now: number): void {
    if (this.#state !== 'open') return;
    this.#heardAt = now;
    switch (packet.type) {
      case controlType.acknowledged:
        if (!this.#trip.answered(packet.info, now)) return;
        this.#confirmed = this.#acked;
        // Half of what the way has become longer since the beginning is no drift of the clock.
        this.#clock.heard(packet.timestamp, now, (this.#trip.rtt - (this.#trip.first ?? this.#trip.rtt)) / 2);
        return;
      case controlType.dropRequest:
        if (packet.body.length >= 8) this.#window.forget({ from: packet.body.readUInt32BE(0) % 2 ** 31, to: packet.body.readUInt32BE(4) % 2 ** 31 });
        return;
      case controlType.shutdown:
        this.#state = 'ending';
        this.#release(Number.POSITIVE_INFINITY);
        return;
      case controlType.userDefined:
        if (packet.subtype === keyMaterialRequest) this.#rekey(packet.body, now);
        return;
      default: // keep-alives, and what only a sender wants to hear
    }
  }

  tick(now: number): void {
    if (this.#state === 'closed') return;
    this.#release(this.#state === 'ending' ? Number.POSITIVE_INFINITY : now);
    if (this.#state !== 'open') return;
    if (now - this.#heardAt > this.#limits.silenceMs * 1000) {
      this.#state = 'closed';
      this.#link.closed('lost');
      return;
    }
    this.#measure(now);
    this.#acknowledge(now);
    if (this.#window.missing > 0) {
      const interval = Math.max(leastLossMicros, (this.#trip.rtt + 4 * this.#trip.variance) / 2);
      const overdue = this.#window.overdue(now - interval, now, mostRanges);
      if (overdue.length > 0) this.#report(overdue, now);
    }
    if (now - this.#saidAt > keepAliveMicros) this.#say({ type: controlType.keepAlive }, now);
  }

  /** So many bytes of media have found their place. */
  taken(bytes: number): void {
    this.#credit += bytes;
  }

  /** Our word that it is over. */
  close(now: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // libsrt wants a body in it.
    this.#say({ type: controlType.shutdown, body: Buffer.alloc(4) }, now);
  }

  #release(now: number): void {
    let parts: Buffer[] = [];
    let missing = 0;
    const flush = (): void => {
      if (parts.length > 0) {
        this.#link.deliver(parts, missing);
        missing = 0;
      }
      parts = [];
    };
    while (this.#credit > 0) {
      const next = this.#window.release(now);
      if (!next) break;
      const { sequence, key, holes } = next;
      const body = key === 0 ? next.body : this.#keys.open(key, sequence, next.body);
      if (!body) this.#count.undecrypted += 1;
      this.#count.dropped += holes;
      if (holes > 0 || !body) {
        flush();
        this.#missing += holes + (body ? 0 : 1);
      }
      if (!body) continue;
      missing += this.#missing;
      this.#missing = 0;
      parts.push(body);
      this.#credit -= body.length;
    }
    flush();
    if (this.#state === 'ending' && this.#window.held === 0) {
      this.#state = 'closed';
      this.#link.closed('announced');
    }
  }

  /** 3.2.4: what we have, how long the way is, what room there is, and how fast it comes. */
  #acknowledge(now: number): void {
    const upTo = this.#window.acknowledged;
    const again = this.#acked !== this.#confirmed && now - this.#ackedAt > this.#trip.rtt + 4 * this.#trip.variance;
    if (upTo === this.#acked && !again) return;
    this.#acked = upTo;
    this.#ackedAt = now;
    this.#sinceLight = 0;
    this.#ackNumber = (this.#ackNumber + 1) % 2 ** 31;
    const { perSecond, bytesPerSecond } = this.#rate;
    const body = Buffer.alloc(28);
    [upTo, this.#trip.rtt, this.#trip.variance, Math.max(2, this.#window.room), perSecond, perSecond, bytesPerSecond].forEach((value, index) =>
      body.writeUInt32BE(Math.min(0xffff_ffff, Math.round(value)), index * 4),
    );
    this.#trip.sent(this.#ackNumber, now);
    this.#say({ type: controlType.acknowledgement, info: this.#ackNumber, body }, now);
  }

  #acknowledgeLightly(now: number): void {
    this.#sinceLight = 0;
    const body = Buffer.alloc(4);
    body.writeUInt32BE(this.#window.acknowledged, 0);
    this.#say({ type: controlType.acknowledgement, body }, now);
  }

  #report(ranges: readonly Range[], now: number): void {
    this.#say({ type: controlType.loss, body: lossReport(ranges) }, now);
  }

  /** A new key, announced before it is used. The answer is the same message; a repeated one is answered again. */
  #rekey(body: Buffer, now: number): void {
    const { passphrase } = this.#facts;
    const material = readKeyMaterial(body);
    if (passphrase === null || !material || now - this.#rekeyAt < rekeyMicros) return;
    this.#rekeyAt = now;
    const keys = unwrap(material, wrappingKey(material, passphrase));
    if (!keys) return;
    this.#keys.learn(keys);
    this.#count.rekeyed += 1;
    this.#say({ type: controlType.userDefined, subtype: keyMaterialResponse, body: Buffer.from(body) }, now);
  }

  #measure(now: number): void {
    const { at, packets, bytes } = this.#rate;
    if (now - at < rateMicros) return;
    const seconds = (now - at) / 1e6;
    this.#rate = {
      ...{ at: now, packets: this.#count.packets, bytes: this.#count.bytes },
      perSecond: (this.#count.packets - packets) / seconds,
      bytesPerSecond: (this.#count.bytes - bytes) / seconds,
    };
  }

  #say(control: Omit<Control, 'socket' | 'timestamp'>, now: number): void {
    this.#saidAt = now;
    this.#link.send(writeControl({ ...control, socket: this.#facts.peer, timestamp: Math.floor(now - this.#since) }));
  }
}
