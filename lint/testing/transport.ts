/** For tests: transport streams written by hand. One segment of 2 s: ten pictures a second, the clock with each. */

const packetSize = 188;
const pids = { pat: 0, pmt: 0x1000, video: 0x100 } as const;

export type TransportOptions = {
  /** Added to the counters of the picture. */
  readonly counter?: number;
  /** Ticks added to all decode times, and to the clock. */
  readonly shift?: number;
  readonly clockShift?: number;
  readonly key?: boolean;
  readonly pictures?: number;
  /** Without the tables. */
  readonly bare?: boolean;
};

const packet = (pid: number, counter: number, start: boolean, adaptation: Buffer | null, payload: Buffer): Buffer => {
  const room = packetSize - 4 - (adaptation ? adaptation.length + 1 : 0);
  const stuffing = Math.max(0, room - payload.length);
  // What does not fill a packet is filled by its adaptation field.
  const field = adaptation ? Buffer.concat([adaptation, Buffer.alloc(stuffing, 0xff)]) : stuffing > 0 ? Buffer.concat([Buffer.from(stuffing > 1 ? [0] : []), Buffer.alloc(Math.max(0, stuffing - 2), 0xff)]) : null;
  const head = Buffer.from([0x47, (start ? 0x40 : 0) | (pid >> 8), pid & 0xff, (field ? 0x30 : 0x10) | (counter & 15)]);
  return Buffer.concat(field ? [head, Buffer.from([field.length]), field, payload] : [head, payload]);
};

const section = (bytes: readonly number[]): Buffer => {
  const out = Buffer.alloc(packetSize - 4, 0xff);
  Buffer.from([0, ...bytes, 0, 0, 0, 0]).copy(out);
  return out;
};

const pat = section([0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (pids.pmt >> 8), pids.pmt & 0xff]);
const pmt = section([2, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0, 0x1b, 0xe1, 0, 0xf0, 0]);

const stamp = (mark: number, ticks: number): Buffer => {
  const wrapped = ((ticks % 2 ** 33) + 2 ** 33) % 2 ** 33;
  const high = Math.floor(wrapped / 2 ** 30);
  const low = wrapped % 2 ** 30;
  const out = Buffer.alloc(5);
  out[0] = (mark << 4) | (high << 1) | 1;
  out.writeUInt16BE(((low >>> 15) << 1) | 1, 1);
  out.writeUInt16BE(((low & 0x7fff) << 1) | 1, 3);
  return out;
};

const clock = (ticks: number): Buffer => {
  const wrapped = ((ticks % 2 ** 33) + 2 ** 33) % 2 ** 33;
  const out = Buffer.alloc(7);
  out[0] = 0x50;
  out.writeUInt32BE(Math.floor(wrapped / 2), 1);
  out.writeUInt16BE((wrapped % 2 << 15) | 0x7e00, 5);
  return out;
};

/** Its last stamps lie beyond the turn of 33 bits from segment 12 on. */
const origin = 2 ** 33 - 11 * 180_000;
const every = 9_000;

export const transportOf = (msn: number, { counter = 0, shift = 0, clockShift = 0, key = true, pictures = 20, bare = false }: TransportOptions = {}): Buffer => {
  const packets = bare ? [] : [packet(pids.pat, msn, true, null, pat), packet(pids.pmt, msn, true, null, pmt)];
  for (let index = 0; index < pictures; index += 1) {
    const dts = origin + ((msn - 1) * 20 + index) * every + shift;
    const unit = Buffer.from([0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, key && index === 0 ? 0x65 : 0x41, msn, index]);
    const pes = Buffer.concat([Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10]), stamp(3, dts + 18_000), stamp(1, dts), unit]);
    packets.push(packet(pids.video, (msn - 1) * 20 + index + counter, true, clock(dts - 9_000 + clockShift), pes));
  }
  return Buffer.concat(packets);
};
