/** NAL units of HEVC (ISO 23008-2, table 7-1): the types that matter here, and where a unit says its own. */

export const hevcNal = { firstIrap: 16, blaWithoutLeading: 18, idrWithRadl: 19, idr: 20, cra: 21, lastIrap: 23, firstNonVcl: 32, vps: 32, sps: 33, pps: 34 } as const;

export const hevcTypeOf = (nal: Uint8Array): number => ((nal[0] ?? 0) >> 1) & 0x3f;

/** nuh_layer_id 0 (7.3.1.2). What is too short to say so is of no layer. */
export const isOfBase = (nal: Uint8Array): boolean => nal.length >= 2 && ((nal[0] ?? 0) & 1) === 0 && ((nal[1] ?? 0) & 0xf8) === 0;
