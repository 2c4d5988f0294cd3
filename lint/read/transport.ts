/**
 * A segment in MPEG-TS (ISO 13818-1): its tables, counters, clock and times. Counters are carried from one segment
 * to the next by whoever calls.
 */
import { fault, type Fault } from '../finding.ts';
import type { RuleId } from '../catalogue.ts';

export type Counters = Map<number, number>;

export type Stream = { readonly pid: number; readonly type: number; readonly firstPts: number; readonly firstDts: number; readonly lastDts: number; /** From the first to the last. */ readonly span: number; /** Between the last two. */ readonly step: number };

export type Transport = {
  readonly streams: readonly Stream[];
  readonly firstPcr: number | null;
  readonly lastPcr: number | null;
  /** H.264: the first picture has an IDR slice; null: no picture. */
  readonly startsWithKey: boolean | null;
  readonly faults: readonly Fault[];
};

const size = 188;
const turn = 2 ** 33;
/** The clock comes at least every 100 ms (2.7.2). */
const clockEvery = 9_000;

type Track = { type: number; pts: number; first: number; last: number; step: number };

/** What lies between two stamps of 33 bits, the second taken for the later one when it is less than half a turn away. */
export const between = (from: number, to: number): number => {
  const ticks = (((to - from) % turn) + turn) % turn;
  return ticks >= turn / 2 ? ticks - turn : ticks;
};

export const readTransport = (bytes: Buffer, counters: Counters | null): Transport => new Reader(bytes, counters).read();

class Reader {
  readonly #bytes: Buffer;
  readonly #counters: Counters | null;
  readonly #own: Counters = new Map();
  readonly #tracks = new Map<number, Track>();
  readonly #faults: Fault[] = [];
  #pmt = -1;
  #clockPid = -1;
  #firstPcr: number | null = null;
  #lastPcr: number | null = null;
  #key: boolean | null = null;
  #picture: { pid: number; bytes: Buffer[] } | null = null;
  /** Heads of PES packets that lie in more than one packet. */
  readonly #heads = new Map<number, Buffer>();

  constructor(bytes: Buffer, counters: Counters | null) {
    this.#bytes = bytes;
    this.#counters = counters;
  }

  #say(rule: RuleId, says: string): void {
    if (this.#faults.length < 10 && !this.#faults.some((known) => known.rule === rule)) this.#faults.push(fault(rule, says));
  }

  read(): Transport {
    const bytes = this.#bytes;
    if (bytes.length === 0 || bytes.length % size !== 0) this.#say('ts/packets', `${bytes.length} bytes are no whole number of packets`);
    for (let at = 0; at + size <= bytes.length; at += size) {
      if (bytes[at] !== 0x47) {
        this.#say('ts/packets', `no sync byte at ${at}`);
        break;
      }
      this.#packet(bytes.subarray(at, at + size), at / size);
    }
    this.#endPicture();
    for (const [pid, counter] of this.#own) this.#counters?.set(pid, counter);
    const streams = [...this.#tracks].flatMap(([pid, { type, pts, first, last, step }]) =>
      first < 0 ? [] : [{ pid, type, firstPts: pts, firstDts: first, lastDts: last, span: between(first, last), step }],
    );
    return { streams, firstPcr: this.#firstPcr, lastPcr: this.#lastPcr, startsWithKey: this.#key, faults: this.#faults };
  }

  #packet(packet: Buffer, index: number): void {
    const pid = packet.readUInt16BE(1) & 0x1fff;
    const control = (packet.readUInt8(3) >> 4) & 3;
    if (pid === 0x1fff) return;
    if (index === 0 && pid !== 0) this.#say('ts/tables', 'the first packet is not the PAT');
    if (index === 1 && pid !== this.#pmt) this.#say('ts/tables', 'the second packet is not the PMT');
    this.#count(pid, packet.readUInt8(3) & 15, (control & 1) === 1, index);
    let body = 4;
    if (control & 2) {
      const length = packet.readUInt8(4);
      body += 1 + length;
      if (body > size) return this.#say('ts/packets', `an adaptation field of ${length} bytes`);
      if (length >= 7 && packet.readUInt8(5) & 0x10) this.#clock(pid, packet.readUInt32BE(6) * 2 + (packet.readUInt8(10) >> 7));
    }
    if (!(control & 1)) return;
    const payload = packet.subarray(body);
    const start = (packet.readUInt8(1) & 0x40) !== 0;
    if (pid === 0 && start) this.#pat(payload);
    else if (pid === this.#pmt && start) this.#programme(payload);
    else if (this.#tracks.has(pid)) this.#media(pid, payload, start);
  }

  #count(pid: number, counter: number, payload: boolean, index: number): void {
    const before = this.#own.get(pid) ?? this.#counters?.get(pid);
    const expected = before === undefined ? counter : (before + (payload ? 1 : 0)) & 15;
    if (counter !== expected) this.#say('ts/counter', `packet ${index} of ${pid}: the counter is ${counter}, ${expected} was to come`);
    this.#own.set(pid, counter);
  }

  #clock(pid: number, pcr: number): void {
    if (pid !== this.#clockPid) return;
    if (this.#lastPcr !== null) {
      const step = between(this.#lastPcr, pcr);
      if (step < 0 || step > clockEvery) this.#say('ts/clock', `the clock goes from ${this.#lastPcr} to ${pcr}`);
    }
    this.#firstPcr ??= pcr;
    this.#lastPcr = pcr;
  }

  #section(payload: Buffer): Buffer | null {
    const from = 1 + (payload[0] ?? 255);
    if (from + 3 > payload.length) return null;
    const length = payload.readUInt16BE(from + 1) & 0xfff;
    return from + 3 + length <= payload.length && length >= 9 ? payload.subarray(from, from + 3 + length) : null;
  }

  #pat(payload: Buffer): void {
    const section = this.#section(payload);
    if (section && section.length >= 16) this.#pmt = section.readUInt16BE(10) & 0x1fff;
    else this.#say('ts/tables', 'a PAT that cannot be read');
  }

  #programme(payload: Buffer): void {
    const section = this.#section(payload);
    if (!section || section.length < 16) return this.#say('ts/tables', 'a PMT that cannot be read');
    this.#clockPid = section.readUInt16BE(8) & 0x1fff;
    const end = section.length - 4;
    for (let at = 12 + (section.readUInt16BE(10) & 0xfff); at + 5 <= end; ) {
      const pid = section.readUInt16BE(at + 1) & 0x1fff;
      if (!this.#tracks.has(pid)) this.#tracks.set(pid, { type: section.readUInt8(at), pts: -1, first: -1, last: -1, step: 0 });
      at += 5 + (section.readUInt16BE(at + 3) & 0xfff);
    }
  }

  #media(pid: number, payload: Buffer, start: boolean): void {
    const track = this.#tracks.get(pid);
    if (!track) return;
    const begun = this.#heads.get(pid);
    if (start) {
      if (this.#picture?.pid === pid) this.#endPicture();
      this.#head(pid, track, payload);
    } else if (begun) this.#head(pid, track, Buffer.concat([begun, payload]));
    else if (track.first < 0) this.#say('ts/packets', `${pid} begins in the middle of a PES packet`);
    else if (this.#picture?.pid === pid) this.#picture.bytes.push(payload);
  }

  #head(pid: number, track: Track, payload: Buffer): void {
    if (payload.length < 9 || payload.length < 9 + payload.readUInt8(8)) {
      this.#heads.set(pid, payload);
      return;
    }
    this.#heads.delete(pid);
    if (payload.readUIntBE(0, 3) !== 1) return this.#say('ts/packets', `${pid} has no PES packet where one begins`);
    const flags = payload.readUInt8(7) >> 6;
    const head = 9 + payload.readUInt8(8);
    if (flags & 2 && head >= (flags === 3 ? 19 : 14)) {
      const pts = stamp(payload, 9);
      const dts = flags === 3 ? stamp(payload, 14) : pts;
      if (track.first < 0) [track.first, track.pts] = [dts, pts];
      else if (between(track.last, dts) <= 0) this.#say('ts/times', `${pid}: decode time ${dts} behind ${track.last}`);
      else track.step = between(track.last, dts);
      track.last = dts;
    }
    // 0x1b: H.264. Only the first picture is looked at.
    if (track.type === 0x1b && this.#key === null && !this.#picture) this.#picture = { pid, bytes: [payload.subarray(head)] };
  }

  #endPicture(): void {
    if (!this.#picture) return;
    const bytes = Buffer.concat(this.#picture.bytes);
    this.#picture = null;
    this.#key = false;
    for (let at = bytes.indexOf('\0\0\x01', 0, 'latin1'); at >= 0 && at + 3 < bytes.length; at = bytes.indexOf('\0\0\x01', at + 3, 'latin1')) {
      const type = bytes.readUInt8(at + 3) & 31;
      if (type === 5) this.#key = true;
      if (type === 1 || type === 5) return;
    }
  }
}

const stamp = (bytes: Buffer, at: number): number =>
  ((bytes.readUInt8(at) >> 1) & 7) * 2 ** 30 + (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >> 1);
