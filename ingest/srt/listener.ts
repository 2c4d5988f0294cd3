/**
 * What comes to the socket: strangers' handshakes, and packets of those who were let in. Without a socket or a clock of
 * its own, so that tests can be both.
 *
 *     induction ─▶ a cookie, and nothing kept
 *     conclusion ─▶ cookie right? ─▶ asked of the desk, once ─▶ connection, or a reason
 *                   (repeated: the same answer, also when the connection has ended since)
 */
import { createHash, createHmac, randomInt } from 'node:crypto';
import { Connection } from './connection.ts';
import { rejectionCode, type SrtFault } from './errors.ts';
import {
  ability,
  extensionFlag,
  extensionType,
  handshakeType,
  magic,
  readAbilities,
  readHandshake,
  readText,
  writeAbilities,
  writeHandshake,
  type Abilities,
  type Extension,
  type Handshake,
} from './handshake.ts';
import { readKeyMaterial, unwrap, wrappingKey, type SessionKeys } from './key-material.ts';
import type { SrtLimits } from './limits.ts';
import { controlType, readPacket, writeControl, type ControlPacket } from './packet.ts';
import { readStreamId } from './stream-id.ts';
import { Throttle } from './throttle.ts';
import type { ListenerCounters, Order, Word } from './wire.ts';

export type Peer = { readonly address: string; readonly port: number };

export type ListenerOptions = {
  readonly limits: SrtLimits;
  /** Microseconds, monotonic. */
  readonly now: () => number;
  readonly send: (bytes: Buffer, to: Peer) => void;
  readonly tell: (word: Word) => void;
  /** Makes cookies ours. */
  readonly secret: Buffer;
};

type Call = {
  readonly number: number;
  readonly peer: Peer;
  readonly socket: number;
  readonly handshake: Handshake;
  readonly abilities: Abilities;
  readonly keyMaterial: Buffer | null;
  readonly timestamp: number;
  readonly question: string;
  /** When it asked again, while the desk was thinking; null: it never did, and nobody knows whether it still waits. */
  askedAgain: number | null;
  state: 'asked' | 'answered' | 'open' | 'gone';
  reply: Buffer | null;
  connection: Connection | null;
  /** When it may be forgotten; null: not yet. */
  until: number | null;
};

/** Version 1.5.0 of libsrt is what we behave like. */
const version = 0x0001_0500;
const leastVersion = 0x0001_0300;
const cookieMicros = 60_000_000;
/** Ticks that are further apart have a stall of ours between them. */
const stallMicros = 500_000;
const rejectedLineMicros = 10_000_000;

export class Listener {
  readonly #o: ListenerOptions;
  readonly #calls = new Map<number, Call>();
  readonly #byPeer = new Map<string, Call>();
  readonly #bySocket = new Map<number, Call>();
  readonly #pending = new Map<string, number>();
  readonly #throttle = new Throttle();
  readonly #count = { datagrams: 0, bytes: 0, accepted: 0, rejected: 0, strays: 0 };
  #asked = 0;
  #open = 0;
  #lastCall = 0;
  #accepting = true;
  #silent = 0;
  #rejectedLineAt = Number.NEGATIVE_INFINITY;
  #tickedAt: number;

  constructor(options: ListenerOptions) {
    this.#o = options;
    this.#tickedAt = options.now();
  }

  get counters(): ListenerCounters {
    return { ...this.#count };
  }
  get size(): { readonly calls: number; readonly pending: number; readonly open: number } {
    return { calls: this.#calls.size, pending: this.#asked, open: this.#open };
  }

  statistics(): Extract<Word, { type: 'statistics' }> {
    const calls = [...this.#bySocket.values()].flatMap(({ number, connection }) => (connection && !connection.closed ? [{ call: number, statistics: connection.statistics }] : []));
    return { type: 'statistics', counters: this.counters, calls };
  }

  onDatagram(bytes: Buffer, peer: Peer): void {
    this.#count.datagrams += 1;
    this.#count.bytes += bytes.length;
    const packet = readPacket(bytes);
    if (!packet) {
      this.#count.strays += 1;
      return;
    }
    if (packet.socket === 0) {
      if (packet.control && packet.type === controlType.handshake) this.#onHandshake(packet, peer);
      else this.#count.strays += 1;
      return;
    }
    const call = this.#bySocket.get(packet.socket);
    if (!call?.connection || call.peer.address !== peer.address || call.peer.port !== peer.port) {
      this.#count.strays += 1;
      return;
    }
    if (packet.control) call.connection.onControl(packet, this.#o.now());
    else call.connection.onData(packet, this.#o.now());
  }

  tick(): void {
    const now = this.#o.now();
    const stalled = now - this.#tickedAt > stallMicros;
    this.#tickedAt = now;
    for (const { connection } of this.#bySocket.values()) connection?.tick(now);
    for (const call of this.#calls.values()) {
      // It was not heard: what it said meanwhile may lie in the socket still.
      if (stalled && call.askedAgain !== null) call.askedAgain = now;
      if (call.until !== null && now > call.until) this.#forget(call);
      else if (call.state === 'asked' && call.askedAgain !== null && now - call.askedAgain > this.#o.limits.patienceMs * 1000) this.#giveUp(call);
    }
  }

  onOrder(order: Exclude<Order, { type: 'close' }>): void {
    if (order.type === 'stop-accepting') {
      this.#accepting = false;
      return;
    }
    const call = this.#calls.get(order.call);
    if (!call) return;
    switch (order.type) {
      case 'accept':
        if (call.state === 'asked') this.#accept(call, order.passphrase);
        return;
      case 'refuse':
        if (call.state !== 'asked') return;
        this.#throttle.refused(call.question, order.fault, this.#o.now());
        this.#answer(call, this.#rejection(call.handshake, call.timestamp, order.fault), 'answered');
        return;
      case 'taken':
        call.connection?.taken(order.bytes);
        return;
      case 'end':
        call.connection?.close(this.#o.now());
        this.#gone(call);
    }
  }

  close(): void {
    for (const { connection } of this.#bySocket.values()) connection?.close(this.#o.now());
  }

  #onHandshake(packet: ControlPacket, peer: Peer): void {
    const handshake = readHandshake(packet.body);
    if (!handshake) {
      this.#count.strays += 1;
      return;
    }
    if (handshake.type === handshakeType.induction) this.#induce(handshake, packet.timestamp, peer);
    else if (handshake.type === handshakeType.conclusion) this.#conclude(handshake, packet.timestamp, peer);
    else this.#count.strays += 1;
  }

  #induce(handshake: Handshake, timestamp: number, peer: Peer): void {
    const reply = { ...handshake, version: 5, encryption: 0, extension: magic, cookie: this.#cookie(peer, 0), extensions: [] };
    this.#o.send(inPacket(reply, handshake.socket, timestamp), peer);
  }

  #conclude(handshake: Handshake, timestamp: number, peer: Peer): void {
    const name = `${peer.address} ${peer.port} ${handshake.socket}`;
    const known = this.#byPeer.get(name);
    if (known) {
      if (known.state === 'asked') known.askedAgain = this.#o.now();
      // The answer was lost, or is on its way: a caller repeats itself every 250 ms.
      if (known.reply && known.state !== 'gone') this.#o.send(known.reply, peer);
      return;
    }
    const asked = this.#judge(handshake, peer);
    if (typeof asked === 'string') {
      this.#reject(asked, handshake, timestamp, peer);
      return;
    }
    const held = this.#throttle.answer(asked.question, this.#o.now());
    if (held) {
      this.#reject(held, handshake, timestamp, peer);
      return;
    }
    const here = this.#pending.get(peer.address) ?? 0;
    if (this.#asked >= this.#o.limits.pending || here >= this.#o.limits.pendingPerAddress || this.#calls.size >= this.#o.limits.answers + this.#o.limits.connections) {
      // It asks again in a moment, and then there may be room; a reason would make it give up.
      this.#silent += 1;
      return;
    }
    this.#asked += 1;
    this.#pending.set(peer.address, here + 1);
    this.#lastCall += 1;
    const { streamKey, ...rest } = asked;
    const call: Call = {
      ...rest,
      ...{ number: this.#lastCall, peer, handshake, timestamp, socket: this.#freeSocket() },
      ...{ state: 'asked', askedAgain: null, reply: null, connection: null, until: this.#o.now() + this.#o.limits.admissionMs * 1000 },
    };
    this.#calls.set(call.number, call);
    this.#byPeer.set(name, call);
    const software = `libsrt ${call.abilities.version >> 16}.${(call.abilities.version >> 8) & 255}.${call.abilities.version & 255}`;
    this.#o.tell({ type: 'ask', call: call.number, address: peer.address, streamKey, keyMaterial: call.keyMaterial, software });
  }

  #judge(handshake: Handshake, peer: Peer): SrtFault | (Pick<Call, 'abilities' | 'keyMaterial' | 'question'> & { streamKey: string }) {
    const { cookie, extensions } = handshake;
    if (cookie !== this.#cookie(peer, 0) && cookie !== this.#cookie(peer, 1)) return 'cookie';
    if (handshake.version !== 5) return 'version';
    const find = (type: number): Buffer | undefined => extensions.find((extension) => extension.type === type)?.content;
    const abilities = readAbilities(find(extensionType.handshakeRequest) ?? Buffer.alloc(0));
    if (!abilities || handshake.socket === 0) return 'damaged';
    if (abilities.version < leastVersion) return 'version';
    if (abilities.flags & ability.stream) return 'stream-mode';
    if ((abilities.flags & ability.timedSend) === 0 || (abilities.flags & ability.retransmitFlag) === 0) return 'stream-mode';
    if (find(extensionType.group)) return 'group';
    const congestion = find(extensionType.congestion);
    if (congestion && readText(congestion) !== 'live') return 'congestion';
    const keyMaterial = find(extensionType.keyMaterialRequest) ?? null;
    if (keyMaterial && !readKeyMaterial(keyMaterial)) return 'key-material';
    const text = readText(find(extensionType.streamId) ?? Buffer.alloc(0));
    const id = readStreamId(text);
    if (!id.ok) return id.fault;
    if (!this.#accepting) return 'shutting-down';
    if (this.#open >= this.#o.limits.connections) return 'full';
    const question = `${peer.address} ${createHash('sha256').update(text).digest('base64url')}`;
    return { abilities, keyMaterial: keyMaterial && Buffer.from(keyMaterial), question, streamKey: id.key };
  }

  #accept(call: Call, passphrase: string | null): void {
    const { abilities, handshake, keyMaterial, peer, timestamp } = call;
    const { limits, now, send, tell } = this.#o;
    const keys = keyMaterial && passphrase !== null ? keysOf(keyMaterial, passphrase) : null;
    const latencyMs = Math.min(limits.mostLatencyMs, Math.max(limits.latencyMs, abilities.senderDelay));
    const extensions: Extension[] = [
      {
        type: extensionType.handshakeResponse,
        content: writeAbilities({ version, flags: abilities.flags & ~ability.filter, receiverDelay: latencyMs, senderDelay: latencyMs }),
      },
    ];
    if (keyMaterial && keys) extensions.push({ type: extensionType.keyMaterialResponse, content: keyMaterial });
    const reply: Handshake = {
      ...handshake,
      ...{ extension: extensionFlag.handshake | (keys ? extensionFlag.keyMaterial : 0), encryption: keys ? handshake.encryption : 0 },
      ...{ socket: call.socket, window: limits.window, extensions },
    };
    this.#open += 1;
    this.#count.accepted += 1;
    this.#bySocket.set(call.socket, call);
    call.connection = new Connection(
      { peer: handshake.socket, initialSequence: handshake.initialSequence, timestamp, latencyMs, passphrase: keys ? passphrase : null, keys },
      limits,
      {
        send: (bytes) => send(bytes, peer),
        deliver: (parts, missing) => tell({ type: 'media', call: call.number, bytes: joined(parts), missing }),
        closed: (reason) => {
          tell({ type: 'closed', call: call.number, reason, statistics: call.connection?.statistics ?? null });
          this.#gone(call);
        },
      },
      now(),
    );
    this.#answer(call, inPacket(reply, handshake.socket, timestamp), 'open');
  }

  #answer(call: Call, reply: Buffer, state: 'open' | 'answered'): void {
    this.#settled(call);
    call.state = state;
    call.reply = reply;
    call.until = state === 'open' ? null : this.#o.now() + this.#o.limits.answerMs * 1000;
    this.#o.send(reply, call.peer);
  }

  /** Nobody thinks about it any more. */
  #settled({ state, peer }: Call): void {
    if (state !== 'asked') return;
    this.#asked -= 1;
    const here = (this.#pending.get(peer.address) ?? 1) - 1;
    if (here > 0) this.#pending.set(peer.address, here);
    else this.#pending.delete(peer.address);
  }

  /** It has hung up while the desk was thinking. Nothing is kept of it: should it have been the line, its next question begins anew. */
  #giveUp(call: Call): void {
    this.#o.tell({ type: 'closed', call: call.number, reason: 'lost', statistics: null });
    this.#forget(call);
  }

  /** Kept for a while: a conclusion of it that was delayed must not begin it again. */
  #gone(call: Call): void {
    this.#settled(call);
    if (call.state === 'open') this.#open -= 1;
    call.state = 'gone';
    call.connection = null;
    this.#bySocket.delete(call.socket);
    call.until = this.#o.now() + this.#o.limits.answerMs * 1000;
  }

  #forget(call: Call): void {
    this.#settled(call);
    this.#calls.delete(call.number);
    this.#byPeer.delete(`${call.peer.address} ${call.peer.port} ${call.handshake.socket}`);
  }

  #reject(fault: SrtFault, handshake: Handshake, timestamp: number, peer: Peer): void {
    this.#o.send(this.#rejection(handshake, timestamp, fault), peer);
    const now = this.#o.now();
    this.#silent += 1;
    if (now - this.#rejectedLineAt < rejectedLineMicros) return;
    this.#rejectedLineAt = now;
    this.#o.tell({ type: 'rejected', address: peer.address, fault, times: this.#silent });
    this.#silent = 0;
  }

  #rejection(handshake: Handshake, timestamp: number, fault: SrtFault): Buffer {
    this.#count.rejected += 1;
    return inPacket({ ...handshake, version: 5, extension: 0, type: rejectionCode(fault), extensions: [] }, handshake.socket, timestamp);
  }

  /** Ours, of this minute or one before, and for this peer only. */
  #cookie({ address, port }: Peer, minutesAgo: number): number {
    const minute = Math.floor(this.#o.now() / cookieMicros) - minutesAgo;
    return createHmac('sha256', this.#o.secret).update(`${address} ${port} ${minute}`).digest().readUInt32BE(0);
  }

  #freeSocket(): number {
    for (;;) {
      const socket = randomInt(1, 2 ** 30);
      if (!this.#bySocket.has(socket)) return socket;
    }
  }
}

const inPacket = (handshake: Handshake, socket: number, timestamp: number): Buffer =>
  writeControl({ type: controlType.handshake, timestamp, socket, body: writeHandshake(handshake) });

const keysOf = (bytes: Buffer, passphrase: string): SessionKeys | null => {
  const material = readKeyMaterial(bytes);
  return material && unwrap(material, wrappingKey(material, passphrase));
};

/** Memory of its own, which can change its owner between threads. */
const joined = (parts: readonly Buffer[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};
