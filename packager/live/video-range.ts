/** VIDEO-RANGE of a picture (RFC 8216bis 4.4.6.2), from the transfer characteristics in its parameter sets. */
import { parseAvcConfig, parseSps } from '../media/h264.ts';
import type { VideoRange } from '../snapshot.ts';

// ISO 23091-2, table 3: 16 is SMPTE ST 2084, 18 is ARIB STD-B67, 2 is "unspecified".
const pq = 16;
const hlg = 18;
const unspecified = 2;

export const videoRangeOf = (avcC: Buffer): { readonly videoRange?: VideoRange } => {
  const [sps] = parseAvcConfig(avcC).sps;
  const transfer = sps ? (parseSps(sps).colour?.transfer ?? unspecified) : unspecified;
  if (transfer === unspecified) return {};
  return { videoRange: transfer === pq ? 'PQ' : transfer === hlg ? 'HLG' : 'SDR' };
};
