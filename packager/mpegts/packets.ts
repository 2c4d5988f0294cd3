/**
 * Transport packets (ISO 13818-1, 2.4.3): 188 bytes each.
 *
 *     47 | start, pid | af?, payload?, counter | [adaptation field: length, flags, PCR, stuffing] | payload
 */
export const packetSize = 188;
const headerSize = 4;
export const roomInPacket = packetSize - headerSize;

/** Times on the wire have 33 bits. */
const turn = 2 ** 33;
/** The remainder that is never negative. */
export const wrap = (ticks: number): number => ((ticks % turn) + turn) % turn;

const randomAccessFlag = 0x40;
const pcrFlag = 0x10;

export type FirstPacket = {
  /** 90 kHz, not yet wrapped. */
  readonly pcr: number | null;
  /** Decoding can start with this packet's access unit (random_access_indicator). */
  readonly randomAccess: boolean;
};

/** Bytes of adaptation field that the first packet of a PES packet needs. */
const adaptationOf = ({ pcr, randomAccess }: FirstPacket): number => (pcr !== null ? 8 : randomAccess ? 2 : 0);

/** The fewest packets that hold a PES packet of so many bytes. */
export const packetsFor = (pesBytes: number, first: FirstPacket): number =>
  1 + Math.ceil(Math.max(0, pesBytes - (roomInPacket - adaptationOf(first))) / roomInPacket);

const writeHeader = (out: Buffer, at: number, pid: number, start: boolean, control: number, counter: number): number => {
  out[at] = 0x47;
  out[at + 1] = (start ? 0x40 : 0) | (pid >> 8);
  out[at + 2] = pid & 0xff;
  out[at + 3] = control | (counter & 15);
  return at + headerSize;
};

/** An adaptation field of exactly `size` bytes, its length byte among them. */
const writeAdaptation = (out: Buffer, at: number, size: number, { pcr, randomAccess }: FirstPacket): void => {
  out[at] = size - 1;
  if (size === 1) return;
  out[at + 1] = (randomAccess ? randomAccessFlag : 0) | (pcr === null ? 0 : pcrFlag);
  let from = at + 2;
  if (pcr !== null) {
    const base = wrap(pcr);
    from = out.writeUInt32BE(Math.floor(base / 2), from);
    // The last bit of the base, six reserved ones, and an extension (27 MHz) of 0.
    from = out.writeUInt16BE(((base % 2) << 15) | 0x7e00, from);
  }
  out.fill(0xff, from, at + size);
};

const plain: FirstPacket = { pcr: null, randomAccess: false };

export type PesPackets = {
  readonly pid: number;
  /** Of the first packet. */
  readonly counter: number;
  /** At least `packetsFor`; more of them carry less each, at least a byte. */
  readonly packets: number;
  readonly first: FirstPacket;
};

/** Spreads a PES packet over transport packets. Returns where the next one begins. */
export const writePes = (out: Buffer, start: number, pes: Buffer, { pid, counter, packets, first }: PesPackets): number => {
  let at = start;
  let from = 0;
  for (let index = 0; index < packets; index += 1) {
    const lead = index === 0 ? first : plain;
    const fixed = adaptationOf(lead);
    const take = Math.min(roomInPacket - fixed, pes.length - from - (packets - 1 - index));
    const adaptation = roomInPacket - take;
    const body = writeHeader(out, at, pid, index === 0, adaptation > 0 ? 0x30 : 0x10, counter + index);
    if (adaptation > 0) writeAdaptation(out, body, adaptation, lead);
    pes.copy(out, body + adaptation, from, from + take);
    from += take;
    at += packetSize;
  }
  return at;
};

/** A packet that carries the clock and nothing else. It has no payload, so its counter is that of the packet before. */
export const writeClock = (out: Buffer, at: number, pid: number, previousCounter: number, pcr: number): number => {
  const body = writeHeader(out, at, pid, false, 0x20, previousCounter);
  writeAdaptation(out, body, roomInPacket, { pcr, randomAccess: false });
  return at + packetSize;
};

/** One section in one packet: pointer field 0, the rest stuffed with FF (2.4.4). */
export const writeSection = (out: Buffer, at: number, pid: number, counter: number, section: Buffer): number => {
  const body = writeHeader(out, at, pid, true, 0x10, counter);
  out[body] = 0;
  section.copy(out, body + 1);
  out.fill(0xff, body + 1 + section.length, at + packetSize);
  return at + packetSize;
};
