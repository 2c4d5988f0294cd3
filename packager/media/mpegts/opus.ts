/**
 * Opus in MPEG-TS (opus-codec.org, ETSI_TS_opus draft 0.1.3): each packet behind a header of its own, several in a PES packet.
 *
 *     11 bits 0x3ff | trimmed at the start? | at the end? | extended? | 00 | size: 255 as long as it goes on, and the rest
 *     u16 samples to trim at the start | u16 at the end | u8 length of the extension, and that
 */
import { opusRate, opusSamples, surroundOpusConfig } from '../opus.ts';
import type { Framing, FrameReader } from './frames.ts';

/** Of eight channels at the highest rate, 120 ms stay far below. */
const largestPacket = 64 * 1024;
const flag = { startTrim: 0x10, endTrim: 0x08, extension: 0x04 } as const;

/** What is to be trimmed is a matter of the first packet of all, which a live show has no use for. */
export const opusFrames = (channels: number): FrameReader => {
  const config = surroundOpusConfig(channels);
  return (bytes, start): Framing => {
    if (bytes[start] !== 0x7f) return 'garbage';
    const flags = bytes[start + 1];
    if (flags === undefined) return 'more';
    if ((flags & 0xe0) !== 0xe0) return 'garbage';
    let at = start + 2;
    let length = 0;
    for (; bytes[at] === 255 && length < largestPacket; at += 1) length += 255;
    const last = bytes[at];
    if (last === undefined) return 'more';
    length += last;
    at += 1 + (flags & flag.startTrim ? 2 : 0) + (flags & flag.endTrim ? 2 : 0);
    if (flags & flag.extension) {
      const extension = bytes[at];
      if (extension === undefined) return 'more';
      at += 1 + extension;
    }
    if (length === 0 || length > largestPacket) return 'garbage';
    if (at + length > bytes.length) return 'more';
    const data = bytes.subarray(at, at + length);
    return { size: at + length - start, frames: [{ config, sampleRate: opusRate, frameLength: opusSamples(data), data }] };
  };
};
