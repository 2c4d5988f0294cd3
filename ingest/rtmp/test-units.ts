/** For tests: access units that need no codec, and what a server says to bytes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AccessUnit, TrackConfig } from '../../packager/media/unit.ts';

export const video: TrackConfig = {
  kind: 'video',
  codec: 'h264',
  config: Buffer.from('0142c00dffe100046742000101000468ce3880', 'hex'),
};
export const audio: TrackConfig = { kind: 'audio', codec: 'aac', config: Buffer.from('1190', 'hex') };
export const picture = (dts: number, bytes = 100, offset = 0): AccessUnit => ({
  kind: 'video',
  dts,
  pts: (dts + offset) >>> 0,
  key: dts === 0,
  data: Buffer.alloc(bytes, dts & 255),
});
export const sound = (dts: number): AccessUnit => ({
  kind: 'audio',
  dts,
  pts: dts,
  key: true,
  data: Buffer.alloc(20, 7),
});

/** All bytes that a server says to these bytes until it closes. */
export const exchange = async (port: number, bytes: Buffer): Promise<Buffer> => {
  const socket = connect(port, '127.0.0.1');
  const heard: Buffer[] = [];
  socket.on('data', (part: Buffer) => heard.push(part));
  socket.on('error', () => {}); // A reset ends it as well.
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(heard);
};
