/** VIDEO-RANGE of a picture (RFC 8216bis 4.4.6.2), from the transfer characteristics in its parameter sets. */
import type { VideoRange } from '../snapshot.ts';

// ISO 23091-2, table 3: 16 is SMPTE ST 2084, 18 is ARIB STD-B67, 2 is "unspecified".
const pq = 16;
const hlg = 18;
const unspecified = 2;

type Told = { readonly videoRange?: VideoRange };

/** `transfer`: transfer_characteristics; null: not said. */
export const videoRange = (transfer: number | null): Told => {
  if (transfer === null || transfer === unspecified) return {};
  return { videoRange: transfer === pq ? 'PQ' : transfer === hlg ? 'HLG' : 'SDR' };
};
