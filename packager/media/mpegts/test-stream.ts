/** For tests: transport streams by ffmpeg and by hand, and everything that a demuxer says about them. */
import { mustFfmpeg } from '../../../test/support/ffmpeg.ts';
import { crc32 } from '../crc32.ts';
import type { WireEvent } from '../event.ts';
import type { AccessUnit, TrackConfig } from '../unit.ts';
import { TsDemuxer, type TsFinding } from './demuxer.ts';

export class Collected {
  readonly tracks: TrackConfig[] = [];
  readonly units: AccessUnit[] = [];
  readonly events: WireEvent[] = [];
  readonly findings: TsFinding[] = [];
  readonly demuxer = new TsDemuxer({
    track: (config) => this.tracks.push(config),
    unit: (unit) => this.units.push(unit),
    event: (event) => this.events.push(event),
    finding: (finding) => this.findings.push(finding),
  });
  of(kind: 'video' | 'audio'): AccessUnit[] {
    return this.units.filter((unit) => unit.kind === kind);
  }
}

/** All of it, in pieces of so many bytes. */
export const demux = (bytes: Buffer, piece = 1316): Collected => {
  const collected = new Collected();
  for (let at = 0; at < bytes.length; at += piece) collected.demuxer.push(bytes.subarray(at, at + piece));
  collected.demuxer.end();
  return collected;
};

/** Two seconds of a moving picture and a tone. */
export const madeBy = async (...output: readonly string[]): Promise<Buffer> => {
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=2'];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2'];
  const { stdout } = await mustFfmpeg([...picture, ...sound, ...output, '-f', 'mpegts', 'pipe:1']);
  return stdout;
};
export const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '30', '-pix_fmt', 'yuv420p', '-threads', '1'];
export const aac = ['-c:a', 'aac', '-b:a', '96k'];

export const packet = (pid: number, counter: number, start: boolean, payload: Buffer, flags = 0x10): Buffer => {
  const room = 184;
  const head = Buffer.from([0x47, (start ? 0x40 : 0) | (pid >> 8), pid & 0xff, flags | (counter & 15)]);
  if (payload.length === room) return Buffer.concat([head, payload]);
  const stuffing = Buffer.alloc(room - payload.length, 0xff);
  stuffing[0] = stuffing.length - 1;
  if (stuffing.length > 1) stuffing[1] = 0;
  head[3] = (head[3] ?? 0) | 0x20;
  return Buffer.concat([head, stuffing, payload]);
};

/** Any payload over as many packets as it takes. */
export const packets = (pid: number, payload: Buffer, counter = 0): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < payload.length; at += 184) parts.push(packet(pid, counter + parts.length, at === 0, payload.subarray(at, at + 184)));
  return Buffer.concat(parts);
};

export const section = (table: number, id: number, body: readonly number[], version = 0): Buffer => {
  const length = 5 + body.length + 4;
  const bytes = Buffer.from([table, 0xb0 | (length >> 8), length & 0xff, id >> 8, id & 0xff, 0xc1 | (version << 1), 0, 0, ...body, 0, 0, 0, 0]);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
};

export const inPacket = (pid: number, counter: number, bytes: Buffer): Buffer => packets(pid, Buffer.concat([Buffer.from([0]), bytes]), counter);

export type Entry = { readonly type: number; readonly pid: number; readonly descriptors?: readonly number[] };
export const tables = (entries: readonly Entry[], { counter = 0, version = 0, pmt = 0x1000 } = {}): Buffer => {
  const streams = entries.flatMap(({ type, pid, descriptors = [] }) => [type, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, descriptors.length, ...descriptors]);
  const pat = section(0, 1, [0, 1, 0xe0 | (pmt >> 8), pmt & 0xff]);
  return Buffer.concat([inPacket(0, counter, pat), inPacket(pmt, counter, section(2, 1, [0xe1, 0, 0xf0, 0, ...streams], version))]);
};

/** `length` false: not said. */
export const pes = (streamId: number, pts: number | null, data: Buffer, length = true): Buffer => {
  const head = Buffer.from([0, 0, 1, streamId, 0, 0, 0x80, pts === null ? 0 : 0x80, pts === null ? 0 : 5]);
  const time = pts === null ? Buffer.alloc(0) : stamp(pts);
  if (length) head.writeUInt16BE(3 + time.length + data.length, 4);
  return Buffer.concat([head, time, data]);
};
const stamp = (pts: number): Buffer => {
  const low = pts % 2 ** 30;
  return Buffer.from([0x21 | (Math.floor(pts / 2 ** 30) << 1), low >> 22, ((low >> 14) & 0xfe) | 1, (low >> 7) & 0xff, ((low << 1) & 0xfe) | 1]);
};
