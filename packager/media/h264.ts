/** H.264 as the rest of Millrace sees it: configuration, parameter sets, pictures. */
export { avcCodecString, configWithLength4, parseAvcConfig } from './h264-config.ts';
export type { AvcConfig } from './h264-config.ts';
export { encodeAvcConfig } from './h264-encode.ts';
export { normaliseAvc } from './h264-picture.ts';
export type { AvcPicture } from './h264-picture.ts';
export { parseSps } from './h264-sps.ts';
