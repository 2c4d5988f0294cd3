/** What messages mean (RTMP 1.0, sections 5.4, 6.2 and 7.1), both ways: message ↔ what it says. */
import { decodeAmf0, encodeAmf0 } from './amf0.ts';
import type { AmfLimits, AmfValue } from './amf0.ts';
import { setChunkSizeType } from './chunks.ts';
import type { Message } from './chunks.ts';
import { RtmpError } from './errors.ts';

export const messageType = {
  setChunkSize: setChunkSizeType,
  acknowledgement: 3,
  userControl: 4,
  windowSize: 5,
  peerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  data: 18,
  command: 20,
  aggregate: 22,
} as const;

const userControl = { streamBegin: 0, pingRequest: 6, pingResponse: 7 } as const;

export type Command = {
  readonly name: string;
  readonly transaction: number;
  /** The command object, then the arguments. */
  readonly values: readonly AmfValue[];
  readonly streamId: number;
};

/** `ignored`: shared objects, other user control events, and types that nobody defined. */
export type Meaning =
  | { readonly kind: 'audio' | 'video'; readonly message: Message }
  | { readonly kind: 'aggregate'; readonly messages: readonly Message[] }
  | { readonly kind: 'data'; readonly amf: Buffer; readonly timestamp: number }
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'window' | 'bandwidth' | 'acknowledgement'; readonly bytes: number }
  | { readonly kind: 'ping'; readonly token: number }
  | { readonly kind: 'ignored' };

/** Throws RtmpError. */
export const interpret = (message: Message, limits: AmfLimits): Meaning => {
  const { payload } = message;
  switch (message.type) {
    case messageType.audio:
      return { kind: 'audio', message };
    case messageType.video:
      return { kind: 'video', message };
    case messageType.aggregate:
      return { kind: 'aggregate', messages: splitAggregate(message) };
    case messageType.data:
    case messageType.dataAmf3:
      return { kind: 'data', amf: amf0Part(message), timestamp: message.timestamp };
    case messageType.command:
    case messageType.commandAmf3:
      return { kind: 'command', command: readCommand(message, limits) };
    case messageType.windowSize:
      return { kind: 'window', bytes: control(payload, 4).readUInt32BE(0) };
    case messageType.peerBandwidth:
      return { kind: 'bandwidth', bytes: control(payload, 4).readUInt32BE(0) };
    case messageType.acknowledgement:
      return { kind: 'acknowledgement', bytes: control(payload, 4).readUInt32BE(0) };
    case messageType.userControl:
      if (control(payload, 2).readUInt16BE(0) !== userControl.pingRequest) return { kind: 'ignored' };
      return { kind: 'ping', token: control(payload, 6).readUInt32BE(2) };
    default:
      return { kind: 'ignored' };
  }
};

const control = (payload: Buffer, bytes: number): Buffer => {
  if (payload.length < bytes) throw new RtmpError('control-too-short');
  return payload;
};

/** The AMF3 types (15, 17) begin with a byte that says "AMF0 follows", which every known sender sets to 0. */
const amf0Part = ({ type, payload }: Message): Buffer => {
  const amf3 = type === messageType.dataAmf3 || type === messageType.commandAmf3;
  return amf3 && payload[0] === 0 ? payload.subarray(1) : payload;
};

const readCommand = (message: Message, limits: AmfLimits): Command => {
  const [name, transaction, ...values] = decodeAmf0(amf0Part(message), limits);
  if (typeof name !== 'string' || name === '') throw new RtmpError('command-name');
  const number = typeof transaction === 'number' && Number.isFinite(transaction) ? transaction : 0;
  return { name, transaction: number, values, streamId: message.streamId };
};

const tagHead = 11;
const tagTail = 4;

/**
 * An aggregate message (7.1.6) is a run of FLV tags, each followed by its own length. Their times keep their
 * distances, and the first one is at the time of the message. The bodies stay where they are.
 */
const splitAggregate = ({ payload, streamId, timestamp }: Message): Message[] => {
  const messages: Message[] = [];
  let first: number | undefined;
  for (let at = 0; at < payload.length;) {
    if (payload.length - at < tagHead) throw new RtmpError('aggregate-broken');
    const length = payload.readUIntBE(at + 1, 3);
    const time = payload.readUIntBE(at + 4, 3) + payload.readUInt8(at + 7) * 0x1000000;
    const body = at + tagHead;
    if (payload.length - body < length) throw new RtmpError('aggregate-broken');
    first ??= time;
    messages.push({
      // The two bits above the type mean "reserved" and "encrypted".
      type: payload.readUInt8(at) & 0x1f,
      streamId,
      timestamp: (timestamp + time - first) >>> 0,
      payload: payload.subarray(body, body + length),
    });
    at = body + length + tagTail;
  }
  return messages;
};

/** A message and the chunk stream that it travels on: 2 for control (5.4), 3 for commands, as all servers do. */
export type Outgoing = { readonly chunkStream: number; readonly message: Message };

const outgoing = (chunkStream: number, type: number, streamId: number, payload: Buffer): Outgoing => ({
  chunkStream,
  message: { type, streamId, timestamp: 0, payload },
});

const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

export const setChunkSize = (bytes: number): Outgoing => outgoing(2, messageType.setChunkSize, 0, number32(bytes));
export const windowSize = (bytes: number): Outgoing => outgoing(2, messageType.windowSize, 0, number32(bytes));
export const acknowledgement = (received: number): Outgoing =>
  outgoing(2, messageType.acknowledgement, 0, number32(received));

/** Limit type 2, "dynamic": the one that every server sends and no client minds. */
export const peerBandwidth = (bytes: number): Outgoing =>
  outgoing(2, messageType.peerBandwidth, 0, Buffer.concat([number32(bytes), Buffer.from([2])]));

const event = (type: number, value: number): Outgoing =>
  outgoing(2, messageType.userControl, 0, Buffer.concat([Buffer.from([0, type]), number32(value)]));
export const streamBegin = (streamId: number): Outgoing => event(userControl.streamBegin, streamId);
export const pingRequest = (token: number): Outgoing => event(userControl.pingRequest, token);
export const pong = (token: number): Outgoing => event(userControl.pingResponse, token);

export const command = (streamId: number, ...values: AmfValue[]): Outgoing =>
  outgoing(3, messageType.command, streamId, encodeAmf0(...values));

export const status = (streamId: number, level: 'status' | 'error', code: string, description: string): Outgoing =>
  command(streamId, 'onStatus', 0, null, { level, code, description });
