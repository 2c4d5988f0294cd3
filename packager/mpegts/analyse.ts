/** For tests: takes a transport stream apart by the rules of ISO 13818-1 and says what is wrong with it. */
import { crc32 } from '../media/crc32.ts';

export type AnalysedPes = { readonly pid: number; readonly pts: number; readonly dts: number; readonly randomAccess: boolean; readonly data: Buffer };

export type Analysis = {
  readonly complaints: readonly string[];
  readonly units: readonly AnalysedPes[];
  /** 90 kHz, and the packet that carried it. */
  readonly clock: readonly { readonly at: number; readonly pcr: number }[];
  readonly streams: ReadonlyMap<number, { readonly type: number; readonly descriptors: string }>;
  readonly version: number;
  readonly packets: number;
};

type Gathering = { parts: Buffer[]; randomAccess: boolean };

const readTime = (bytes: Buffer, at: number): number =>
  (((bytes[at] ?? 0) >> 1) & 7) * 2 ** 30 + ((bytes.readUInt16BE(at + 1) >> 1) << 15) + (bytes.readUInt16BE(at + 3) >> 1);

/** `counters` may be carried from segment to segment: then they have to go on. */
export const analyse = (bytes: Buffer, counters = new Map<number, number>()): Analysis => {
  const complaints: string[] = [];
  const units: AnalysedPes[] = [];
  const clock: { at: number; pcr: number }[] = [];
  const streams = new Map<number, { type: number; descriptors: string }>();
  const gathering = new Map<number, Gathering>();
  let pmtPid = -1;
  let clockPid = -1;
  let version = -1;

  const endUnit = (pid: number): void => {
    const one = gathering.get(pid);
    gathering.delete(pid);
    if (!one) return;
    const pes = Buffer.concat(one.parts);
    if (pes.readUIntBE(0, 3) !== 1) return void complaints.push(`PES of ${pid} begins with ${pes.toString('hex', 0, 4)}`);
    const length = pes.readUInt16BE(4);
    if (length !== 0 && length !== pes.length - 6) complaints.push(`PES of ${pid} says ${length}, has ${pes.length - 6}`);
    const flags = (pes[7] ?? 0) >> 6;
    const pts = readTime(pes, 9);
    const dts = flags === 3 ? readTime(pes, 14) : pts;
    units.push({ pid, pts, dts, randomAccess: one.randomAccess, data: pes.subarray(9 + (pes[8] ?? 0)) });
  };

  const section = (payload: Buffer): Buffer => {
    const from = 1 + (payload[0] ?? 0);
    const end = from + 3 + (payload.readUInt16BE(from + 1) & 0xfff);
    const whole = payload.subarray(from, end);
    if (crc32(whole) !== 0) complaints.push('the CRC of a section is wrong');
    if (payload.subarray(end).some((byte) => byte !== 0xff)) complaints.push('a section is not stuffed with FF');
    return whole;
  };

  const pmt = (table: Buffer): void => {
    version = ((table[5] ?? 0) >> 1) & 31;
    clockPid = table.readUInt16BE(8) & 0x1fff;
    for (let at = 12 + (table.readUInt16BE(10) & 0xfff); at < table.length - 4; ) {
      const size = table.readUInt16BE(at + 3) & 0xfff;
      streams.set(table.readUInt16BE(at + 1) & 0x1fff, { type: table[at] ?? 0, descriptors: table.toString('hex', at + 5, at + 5 + size) });
      at += 5 + size;
    }
  };

  if (bytes.length % 188 !== 0) complaints.push(`${bytes.length} bytes are no whole packets`);
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const packet = bytes.subarray(at, at + 188);
    if (packet[0] !== 0x47) return { complaints: [...complaints, `no sync byte at ${at}`], units, clock, streams, version, packets: at / 188 };
    const pid = packet.readUInt16BE(1) & 0x1fff;
    const start = ((packet[1] ?? 0) & 0x40) !== 0;
    const control = (packet[3] ?? 0) >> 4;
    const counter = (packet[3] ?? 0) & 15;
    const hasPayload = (control & 1) !== 0;
    const before = counters.get(pid);
    const expected = before === undefined ? counter : (before + (hasPayload ? 1 : 0)) & 15;
    if (counter !== expected) complaints.push(`packet ${at / 188} of ${pid}: counter ${counter}, expected ${expected}`);
    counters.set(pid, counter);

    let body = 4;
    let randomAccess = false;
    if (control & 2) {
      const size = packet[4] ?? 0;
      body += 1 + size;
      if (size > (hasPayload ? 182 : 183)) complaints.push(`an adaptation field of ${size} bytes`);
      if (!hasPayload && size !== 183) complaints.push('a packet without payload is not full');
      const flags = size > 0 ? (packet[5] ?? 0) : 0;
      randomAccess = (flags & 0x40) !== 0;
      if (flags & 0x10) {
        if (pid !== clockPid) complaints.push(`a clock in ${pid}`);
        clock.push({ at: at / 188, pcr: packet.readUInt32BE(6) * 2 + ((packet[10] ?? 0) >> 7) });
      }
      if (packet.subarray(6 + (flags & 0x10 ? 6 : 0), body).some((byte) => byte !== 0xff)) complaints.push('stuffing is not FF');
    }
    if (!hasPayload) continue;
    const payload = packet.subarray(body);
    if (pid === 0) pmtPid = section(payload).readUInt16BE(10) & 0x1fff;
    else if (pid === pmtPid) pmt(section(payload));
    else if (!streams.has(pid)) complaints.push(`a packet of ${pid}, which no table names`);
    else {
      if (start) {
        endUnit(pid);
        gathering.set(pid, { parts: [], randomAccess });
      }
      const one = gathering.get(pid);
      if (one) one.parts.push(payload);
      else complaints.push(`${pid} begins in the middle of a PES packet`);
    }
  }
  for (const pid of [...gathering.keys()]) endUnit(pid);
  clock.forEach(({ pcr }, index) => {
    const last = clock[index - 1]?.pcr;
    if (last === undefined) return;
    const step = (pcr - last + 2 ** 33) % 2 ** 33;
    if (step === 0 || step > 9_000) complaints.push(`the clock steps by ${step}`);
  });
  return { complaints, units, clock, streams, version, packets: bytes.length / 188 };
};
