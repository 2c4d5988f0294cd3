/** How MPEG-TS counts time: 90 kHz in 33 bits (ISO 13818-1, 2.4.3.7). */
import type { WireClock } from '../unit.ts';

export const tsBits = 33;
export const tsTurn = 2 ** tsBits;
export const tsClock: WireClock = { timescale: 90_000, bits: tsBits };
