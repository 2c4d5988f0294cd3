/** For tests: CEA-608 text and DTVCC packets as the SEI that carries them beside a picture. */
export type Triplet = readonly [type: number, first: number, second: number];

const parity = (byte: number): number => {
  let bits = 0;
  for (let rest = byte & 0x7f; rest > 0; rest >>= 1) bits += rest & 1;
  return bits % 2 === 0 ? (byte & 0x7f) | 0x80 : byte & 0x7f;
};

/** What one field says: roll-up of two rows, the text, and a new row; two bytes at a time. `code` is 14 for CC1, 1c for CC2 (CC3, CC4 in field 2: 15, 1d). */
export const rollUp = (text: string, code = 0x14): (readonly [number, number])[] => {
  const pairs: [number, number][] = [[code, 0x25], [code, 0x2d], [code, 0x70]];
  for (let at = 0; at < text.length; at += 2) pairs.push([text.charCodeAt(at), at + 1 < text.length ? text.charCodeAt(at + 1) : 0]);
  return pairs.map(([first, second]) => [parity(first), parity(second)]);
};

export const silence: Triplet = [0, 0x80, 0x80];

/** A packet with one block of a service, in triplets. */
export const dtvcc = (service: number, text: string): Triplet[] => {
  const block = [...Buffer.from(text)];
  const head = service < 7 ? [(service << 5) | block.length] : [(7 << 5) | block.length, service];
  const body = [...head, ...block, 0];
  if (body.length % 2 === 0) body.push(0);
  const bytes = [(body.length + 1) / 2, ...body];
  return Array.from({ length: bytes.length / 2 }, (_, index) => [index === 0 ? 3 : 2, bytes[2 * index] ?? 0, bytes[2 * index + 1] ?? 0]);
};

/** The unit behind its four bytes of length, as it stands ahead of a picture's slices. */
export const captionSei = (triplets: readonly Triplet[]): Buffer => {
  const data = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03, 0xc0 | triplets.length, 0xff, ...triplets.flatMap(([type, first, second]) => [0xfc | type, first, second]), 0xff];
  const escaped: number[] = [];
  for (const byte of [4, data.length, ...data, 0x80]) {
    const [before, last] = escaped.slice(-2);
    if (before === 0 && last === 0 && byte < 4) escaped.push(3);
    escaped.push(byte);
  }
  const unit = Buffer.from([0, 0, 0, 0, 6, ...escaped]);
  unit.writeUInt32BE(unit.length - 4, 0);
  return unit;
};
