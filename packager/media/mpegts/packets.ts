/**
 * Transport packets (ISO 13818-1, 2.4.3.2) out of bytes that begin and break anywhere:
 *
 *     47 | error, start, PID | scrambled, adaptation?, payload?, counter | [adaptation field] | payload
 *
 * In step, only the first byte of each packet is looked at. Out of step (at the beginning, after a loss, in garbage),
 * it takes three of them at the right distance to believe one.
 */

export const packetSize = 188;
const syncByte = 0x47;
const headerSize = 4;
/** Packets whose first bytes have to agree. */
const proof = 3;

export type TsPacket = {
  readonly pid: number;
  /** A PES packet, or a section, begins in it. */
  readonly start: boolean;
  readonly counter: number;
  readonly scrambled: boolean;
  /** The counter may jump here, because the sender says so. */
  readonly discontinuity: boolean;
  /** Null: none, or not to be believed. */
  readonly payload: Buffer | null;
};

const nothing = Buffer.alloc(0);

export class PacketReader {
  #rest: Buffer = nothing;
  #inStep = false;
  /** Bytes that belonged to no packet. */
  skipped = 0;

  /** Never throws; holds at most three packets. */
  read(bytes: Buffer, take: (packet: TsPacket) => void): void {
    const input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (at < input.length) {
      if (this.#inStep) {
        if (input.length - at < packetSize) break;
        this.#inStep = input[at] === syncByte;
        if (!this.#inStep) continue;
        take(readPacket(input.subarray(at, at + packetSize)));
        at += packetSize;
        continue;
      }
      const found = input.indexOf(syncByte, at);
      this.skipped += (found < 0 ? input.length : found) - at;
      at = found < 0 ? input.length : found;
      if (input.length - at <= (proof - 1) * packetSize) break;
      this.#inStep = input[at + packetSize] === syncByte && input[at + 2 * packetSize] === syncByte;
      if (this.#inStep) continue;
      at += 1;
      this.skipped += 1;
    }
    this.#rest = input.subarray(at);
  }

  /** What comes next does not continue what came last. Returns how many packets go with that which had come whole. */
  lost(): number {
    const { length } = this.#rest;
    this.skipped += length;
    this.#rest = nothing;
    this.#inStep = false;
    return Math.ceil(length / packetSize);
  }
}

const readPacket = (packet: Buffer): TsPacket => {
  const second = packet[1] ?? 0;
  const fourth = packet[3] ?? 0;
  const hasAdaptation = (fourth & 0x20) !== 0;
  const adaptation = hasAdaptation ? 1 + (packet[headerSize] ?? 0) : 0;
  const damaged = (second & 0x80) !== 0 || headerSize + adaptation > packetSize;
  const hasPayload = (fourth & 0x10) !== 0 && !damaged && headerSize + adaptation < packetSize;
  return {
    pid: ((second & 0x1f) << 8) | (packet[2] ?? 0),
    start: (second & 0x40) !== 0,
    counter: fourth & 15,
    scrambled: (fourth & 0xc0) !== 0,
    discontinuity: adaptation > 1 && !damaged && ((packet[headerSize + 1] ?? 0) & 0x80) !== 0,
    payload: hasPayload ? packet.subarray(headerSize + adaptation) : null,
  };
};

/** So many missing packets look like a packet that comes twice, and one more like none. */
const mostTold = 14;

/** The counter of one PID (2.4.3.3): it counts packets with payload, and each may come twice. */
export class Continuity {
  #last: number | null = null;
  /** That may have been of this PID and are missing since the last one that was. */
  #missing = 0;

  /** At most so many packets are missing. True: so many that the counter may tell nothing of it. */
  lost(packets: number): boolean {
    const before = this.#missing;
    this.#missing += packets;
    return before <= mostTold && this.#missing > mostTold;
  }

  /** 'gap': what is under way on this PID has a hole. */
  check({ counter, discontinuity }: TsPacket): 'next' | 'repeat' | 'gap' {
    const last = this.#last;
    this.#missing = 0;
    this.#last = counter;
    if (last === null || counter === ((last + 1) & 15)) return 'next';
    if (discontinuity) return 'gap';
    return counter === last ? 'repeat' : 'gap';
  }
}
