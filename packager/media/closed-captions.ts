/**
 * Closed captions that lie inside the pictures: cc_data (ATSC A/53 part 4, 6.2.3; CTA-708-E, 4.4) in SEI. Only which
 * services there are is found out here; players read the captions themselves.
 */
import { nalType } from './h264-nal.ts';
import { seiPayloads } from './h264-sei.ts';

const userDataRegistered = 4;
/** United States, ATSC, "GA94", cc_data. */
const ccDataHead = Buffer.from('b500314741393403', 'hex');

type Triplet = { readonly type: number; readonly first: number; readonly second: number };

/** The services of these pictures (samples with NAL lengths of four bytes, in the order of their display): `CC1` …, `SERVICE1` …. */
export const closedCaptionsIn = (pictures: Iterable<Buffer>): string[] => {
  const found = new Set<string>();
  const packets = new Packets(found);
  for (const picture of pictures) {
    for (const { type, first, second } of tripletsOf(picture)) {
      if (type < 2) field(found, type, first, second);
      else packets.take(type === 3, first, second);
    }
  }
  packets.end();
  return [...found].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
};

function* tripletsOf(picture: Buffer): Generator<Triplet> {
  for (let at = 0; at + 4 <= picture.length; ) {
    const start = at + 4;
    at = start + picture.readUInt32BE(start - 4);
    if (at > picture.length) return;
    if (((picture[start] ?? 0) & 0x1f) !== nalType.sei) continue;
    for (const { type, body } of seiPayloads(picture.subarray(start, at))) {
      if (type === userDataRegistered && Buffer.compare(body.subarray(0, ccDataHead.length), ccDataHead) === 0) yield* triplets(body.subarray(ccDataHead.length));
    }
  }
}

function* triplets(data: Uint8Array): Generator<Triplet> {
  const flags = data[0] ?? 0;
  if ((flags & 0x40) === 0) return; // process_cc_data_flag
  for (let index = 0, at = 2; index < (flags & 0x1f) && at + 3 <= data.length; index += 1, at += 3) {
    const head = data[at] ?? 0;
    // cc_valid
    if ((head & 4) !== 0) yield { type: head & 3, first: data[at + 1] ?? 0, second: data[at + 2] ?? 0 };
  }
}

const oddParity = (byte: number): boolean => {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits % 2 === 1;
};

/**
 * Two bytes of line 21 (CTA-608-E): a control code says by a bit to which of the two channels of its field it belongs.
 * Field 1 is taken for CC1 as soon as it is there, silent or not: who sends it means to caption. Field 2 has other uses.
 */
const field = (found: Set<string>, number: number, first: number, second: number): void => {
  if (!oddParity(first) || !oddParity(second)) return;
  if (number === 0) found.add('CC1');
  const code = first & 0x7f;
  if (code < 0x10 || code > 0x1f) return;
  const other = (code & 8) !== 0;
  found.add(number === 0 ? (other ? 'CC2' : 'CC1') : other ? 'CC4' : 'CC3');
};

const largestPacket = 128;

/** DTVCC packets (CTA-708-E, 5), and the numbers of the services whose blocks they hold. */
class Packets {
  readonly #found: Set<string>;
  #bytes: number[] | null = null;

  constructor(found: Set<string>) {
    this.#found = found;
  }

  take(start: boolean, first: number, second: number): void {
    if (start) {
      this.end();
      this.#bytes = [];
    }
    if (this.#bytes && this.#bytes.length < largestPacket) this.#bytes.push(first, second);
  }

  end(): void {
    const bytes = this.#bytes ?? [];
    this.#bytes = null;
    const code = (bytes[0] ?? 0) & 0x3f;
    const size = code === 0 ? largestPacket : code * 2;
    // A packet that lost its end says nothing.
    if (bytes.length < size) return;
    for (let at = 1; at < size; ) {
      const head = bytes[at] ?? 0;
      const length = head & 0x1f;
      let service = head >> 5;
      at += 1;
      if (service === 0) return; // the rest is filling
      if (service === 7 && length > 0) {
        service = (bytes[at] ?? 0) & 0x3f;
        at += 1;
        if (service < 7) return;
      }
      if (length > 0 && at + length <= size) this.#found.add(`SERVICE${service}`);
      at += length;
    }
  }
}
