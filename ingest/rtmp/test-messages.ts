/** For tests: what a good encoder says, as messages. */
import { createHash } from 'node:crypto';
import type { AccessUnit, TrackConfig } from '../../packager/media/unit.ts';
import type { AmfObject, AmfValue } from './amf0.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { readAudioTag, readVideoTag } from './flv-tags.ts';
import * as say from './messages.ts';
import type { Outgoing } from './messages.ts';

export type Publish = {
  readonly app: string;
  readonly key: string;
  readonly tcUrl?: string;
  readonly flashVer?: string;
  /** What else is said in `connect`. */
  readonly about?: AmfObject;
};

export const connectCommand = ({ app, tcUrl, flashVer, about }: Publish): Outgoing =>
  say.command(0, 'connect', 1, {
    app,
    type: 'nonprivate',
    flashVer: flashVer ?? 'FMLE/3.0 (compatible; Millrace test)',
    tcUrl: tcUrl ?? `rtmp://127.0.0.1/${app}`,
    ...about,
  });

/** The commands between connect and publish, in the order of OBS. */
export const preparation = (key: string): Outgoing[] => [
  say.command(0, 'releaseStream', 2, null, key),
  say.command(0, 'FCPublish', 3, null, key),
  say.command(0, 'createStream', 4, null),
];

export const publishCommand = (streamId: number, key: string): Outgoing =>
  say.command(streamId, 'publish', 5, null, key, 'live');

export const goodbye = (streamId: number, key: string): Outgoing[] => [
  say.command(0, 'FCUnpublish', 6, null, key),
  say.command(0, 'deleteStream', 7, null, streamId),
];

const media = (chunkStream: number, type: number, streamId: number, timestamp: number, parts: Buffer[]): Outgoing => ({
  chunkStream,
  message: { type, streamId, timestamp, payload: Buffer.concat(parts) },
});

export const configMessage = (streamId: number, track: TrackConfig, timestamp = 0): Outgoing =>
  track.kind === 'video'
    ? media(6, say.messageType.video, streamId, timestamp, [Buffer.from([0x17, 0, 0, 0, 0]), track.config])
    : media(4, say.messageType.audio, streamId, timestamp, [Buffer.from([0xaf, 0]), track.config]);

export const unitMessage = (streamId: number, unit: AccessUnit): Outgoing => {
  if (unit.kind === 'audio') {
    return media(4, say.messageType.audio, streamId, unit.dts, [Buffer.from([0xaf, 1]), unit.data]);
  }
  const head = Buffer.from([unit.key ? 0x17 : 0x27, 1, 0, 0, 0]);
  head.writeIntBE((unit.pts - unit.dts) | 0, 2, 3);
  return media(6, say.messageType.video, streamId, unit.dts, [head, unit.data]);
};

export const metadataMessage = (streamId: number, metadata: Readonly<Record<string, AmfValue>>): Outgoing => ({
  chunkStream: 4,
  message: {
    ...say.command(streamId, '@setDataFrame', 'onMetaData', { ...metadata }).message,
    type: say.messageType.data,
  },
});

/** C0, C1 and C2 of a client that does not sign. */
export const plainHandshake = (): Buffer => {
  const bytes = Buffer.alloc(1 + 1536 * 2, 0x5a);
  bytes[0] = 3;
  bytes.fill(0, 1, 9);
  return bytes;
};

/** A whole session in one piece: a server has to take it although nobody waited for an answer. */
export const sessionBytes = (
  publish: Publish,
  tracks: readonly TrackConfig[],
  units: readonly AccessUnit[],
): Buffer => {
  const writer = new ChunkWriter();
  const bytes = [plainHandshake()];
  const add = ({ chunkStream, message }: Outgoing): void => {
    bytes.push(writer.encode(chunkStream, message));
  };
  add(say.setChunkSize(4096));
  writer.chunkSize = 4096;
  add(connectCommand(publish));
  for (const message of preparation(publish.key)) add(message);
  add(publishCommand(1, publish.key));
  add(metadataMessage(1, { encoder: 'test', width: 320, height: 180 }));
  for (const track of tracks) add(configMessage(1, track));
  for (const unit of units) add(unitMessage(1, unit));
  for (const message of goodbye(1, publish.key)) add(message);
  return Buffer.concat(bytes);
};

export type Clip = { readonly tracks: readonly TrackConfig[]; readonly units: readonly AccessUnit[] };

/** A clip out of an FLV file with H.264 and AAC, as ffmpeg writes them. */
export const clipOfFlv = (file: Buffer): Clip => {
  const tracks: TrackConfig[] = [];
  const units: AccessUnit[] = [];
  let at = file.readUInt32BE(5) + 4;
  while (at + 11 <= file.length) {
    const type = file.readUInt8(at);
    const size = file.readUIntBE(at + 1, 3);
    const dts = file.readUIntBE(at + 4, 3) + file.readUInt8(at + 7) * 0x1000000;
    const body = file.subarray(at + 11, at + 11 + size);
    const kind = type === say.messageType.video ? 'video' : 'audio';
    if (type === say.messageType.video || type === say.messageType.audio) {
      const tag = kind === 'video' ? readVideoTag(body) : readAudioTag(body);
      if (tag.kind === 'config' && kind === 'video') tracks.push({ kind, codec: 'h264', config: tag.config });
      else if (tag.kind === 'config' && kind === 'audio') tracks.push({ kind, codec: 'aac', config: tag.config });
      else if (tag.kind === 'frame')
        units.push({ kind, dts, pts: (dts + tag.offset) >>> 0, key: tag.key, data: tag.data });
    }
    at += 11 + size + 4;
  }
  return { tracks, units };
};

/** A unit in one line, for comparisons. */
export const fingerprint = (unit: AccessUnit): string =>
  `${unit.kind} ${unit.dts} ${unit.pts} ${unit.key} ${createHash('sha256').update(unit.data).digest('hex').slice(0, 16)}`;
