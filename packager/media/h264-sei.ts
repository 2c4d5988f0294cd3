/** Supplemental enhancement information (ISO 14496-10, annex D): its messages, and the recovery point. */
import { BitReader } from './bits.ts';
import { rbsp } from './h264-nal.ts';

const recoveryPoint = 6;

/** payloadType and payloadSize: 255 as often as it fits, then the rest (7.3.2.3.1). */
const readNumber = (bytes: Uint8Array, from: number): { value: number; end: number } => {
  let value = 0;
  let at = from;
  for (; bytes[at] === 255; at += 1) value += 255;
  return { value: value + (bytes[at] ?? 0), end: at + 1 };
};

export type SeiPayload = { readonly type: number; readonly body: Uint8Array };

/** The messages of an SEI unit, as far as they are whole: SEI is only advice, so damage in it is not an error. */
export function* seiPayloads(nal: Uint8Array): Generator<SeiPayload> {
  const bytes = rbsp(nal);
  for (let at = 0; at + 2 < bytes.length; ) {
    const type = readNumber(bytes, at);
    const size = readNumber(bytes, type.end);
    const end = size.end + size.value;
    if (end > bytes.length) return;
    yield { type: type.value, body: bytes.subarray(size.end, end) };
    at = end;
  }
}

/**
 * A recovery point at this very picture. One that lies pictures ahead (recovery_frame_cnt > 0) belongs to
 * gradual refresh, where no single picture can be started from.
 */
export const hasRecoveryPoint = (nal: Uint8Array): boolean => {
  for (const { type, body } of seiPayloads(nal)) {
    // recovery_frame_cnt is ue(v): zero is a single 1.
    if (type === recoveryPoint && body.length > 0) return new BitReader(body).flag();
  }
  return false;
};
