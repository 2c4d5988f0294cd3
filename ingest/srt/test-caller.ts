/** For tests: a caller made of packets, which can do everything that libsrt never would. */
import { randomBytes } from 'node:crypto';
import { ability, extensionFlag, extensionType, handshakeType, readHandshake, writeAbilities, writeHandshake, writeText, type Extension, type Handshake } from './handshake.ts';
import { controlType, headerSize, readPacket, writeControl, type ControlPacket } from './packet.ts';
import { Listener, type Peer } from './listener.ts';
import { defaultLimits, type SrtLimits } from './limits.ts';
import type { Word } from './wire.ts';

/** A listener without a socket, and a clock that is told. */
export class Bench {
  now = 1_000_000;
  readonly words: Word[] = [];
  readonly sent: { readonly bytes: Buffer; readonly to: Peer }[] = [];
  readonly listener: Listener;

  constructor(limits: Partial<SrtLimits> = {}) {
    this.listener = new Listener({
      limits: { ...defaultLimits, ...limits },
      now: () => this.now,
      secret: randomBytes(32),
      tell: (word) => this.words.push(word),
      send: (bytes, to) => this.sent.push({ bytes, to }),
    });
  }

  /** Time passes, in ticks of 10 ms. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 10) {
      this.now += 10_000;
      this.listener.tick();
    }
  }

  said<T extends Word['type']>(type: T): Extract<Word, { type: T }>[] {
    return this.words.filter((word): word is Extract<Word, { type: T }> => word.type === type);
  }

  /** What was sent since the last time, as control packets. */
  heard(): ControlPacket[] {
    return this.sent.splice(0).flatMap(({ bytes }) => {
      const packet = readPacket(bytes);
      return packet?.control ? [packet] : [];
    });
  }
}

export type Wishes = { readonly streamId?: string; readonly flags?: number; readonly version?: number; readonly more?: readonly Extension[]; readonly latencyMs?: number };

const usualFlags = ability.timedSend | ability.timedReceive | ability.tooLateDrop | ability.periodicLoss | ability.retransmitFlag;

export class TestCaller {
  readonly bench: Bench;
  readonly peer: Peer;
  readonly socket: number;
  readonly initialSequence: number;
  /** The listener's. */
  remote = 0;
  /** Of its handshake, microseconds. */
  began = 0;

  constructor(bench: Bench, socket = 77, { port = 5000, address = '192.0.2.1', initialSequence = 2 ** 31 - 3 } = {}) {
    this.bench = bench;
    this.socket = socket;
    this.peer = { address, port };
    this.initialSequence = initialSequence;
  }

  give(bytes: Buffer): void {
    this.bench.listener.onDatagram(bytes, this.peer);
  }

  handshake(more: Partial<Handshake>): Buffer {
    const plain: Handshake = {
      ...{ version: 4, encryption: 0, extension: 2, initialSequence: this.initialSequence, mtu: 1500, window: 8192 },
      ...{ type: handshakeType.induction, socket: this.socket, cookie: 0, address: Buffer.alloc(16), extensions: [] },
    };
    return writeControl({ type: controlType.handshake, timestamp: this.began, socket: 0, body: writeHandshake({ ...plain, ...more }) });
  }

  /** The cookie of an induction. */
  induce(): number {
    this.give(this.handshake({}));
    return this.answer()?.cookie ?? -1;
  }

  conclusion(cookie: number, { streamId = 'good-key', flags = usualFlags, version = 0x10501, more = [], latencyMs = 120 }: Wishes = {}): Buffer {
    const extensions: Extension[] = [
      { type: extensionType.handshakeRequest, content: writeAbilities({ version, flags, receiverDelay: 0, senderDelay: latencyMs }) },
      { type: extensionType.streamId, content: writeText(streamId) },
      ...more,
    ];
    return this.handshake({ version: 5, extension: extensionFlag.handshake | 4, type: handshakeType.conclusion, cookie, extensions });
  }

  /** Asks, and is let in. */
  connect(wishes: Wishes = {}, passphrase: string | null = null): void {
    this.give(this.conclusion(this.induce(), wishes));
    const call = this.bench.said('ask').at(-1)?.call ?? -1;
    this.bench.listener.onOrder({ type: 'accept', call, passphrase });
    this.remote = this.answer()?.socket ?? 0;
  }

  /** The last handshake that was said. */
  answer(): Handshake | null {
    const last = this.bench.heard().findLast(({ type }) => type === controlType.handshake);
    return last ? readHandshake(last.body) : null;
  }

  data(index: number, body: Buffer, { key = 0, timestamp = index * 10_000, again = false } = {}): void {
    const out = Buffer.alloc(headerSize);
    out.writeUInt32BE((this.initialSequence + index) % 2 ** 31, 0);
    out.writeUInt32BE((0xc000_0000 | (key << 27) | (again ? 0x0400_0000 : 0)) >>> 0, 4);
    out.writeUInt32BE(timestamp % 2 ** 32, 8);
    out.writeUInt32BE(this.remote, 12);
    this.give(Buffer.concat([out, body]));
  }

  control(type: number, more: { info?: number; subtype?: number; body?: Buffer; timestamp?: number } = {}): void {
    this.give(writeControl({ type, timestamp: 0, socket: this.remote, ...more }));
  }
}
