/**
 * The other end of a publish: an FLV stream in, the bytes of an RTMP connection out. ffmpeg takes the address to
 * send to on its command line only, where every user of the machine can read the stream key; so it writes FLV to a
 * pipe, and this gives the address.
 *
 * Nothing waits for an answer: the server reads what was sent after `publish` only once it has said yes, and closes
 * the connection when it says no.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ChunkWriter } from './chunk-writer.ts';
import * as say from './messages.ts';
import type { Outgoing } from './messages.ts';

const helloBytes = 1536;
const chunkSize = 65_536;
/** The number of the first stream that a connection makes. */
const streamId = 1;

const fileHead = 9;
const tagHead = 11;
const tagTail = 4;

/** Resolves when the FLV has ended and all of it is sent; rejects when the server does not want it, or is gone. */
export const publishFlv = async (flv: Readable, to: { readonly port: number; readonly app: string; readonly key: string }): Promise<void> => {
  const socket = connect(to.port, '127.0.0.1');
  socket.resume(); // What the server says is not needed,
  socket.once('end', () => socket.destroy()); // and when it has said its last word, there is nothing more to send.
  await pipeline(flv, (bytes: AsyncIterable<Buffer>) => asRtmp(bytes, to.app, to.key), socket);
};

async function* asRtmp(flv: AsyncIterable<Buffer>, app: string, key: string): AsyncGenerator<Buffer> {
  const writer = new ChunkWriter();
  const encode = ({ chunkStream, message }: Outgoing): Buffer => writer.encode(chunkStream, message);
  // C0, C1 and C2 in one: a server reads the last one and does not judge it. A version of 0: no digests.
  yield Buffer.concat([Buffer.from([3]), Buffer.alloc(8), randomBytes(2 * helloBytes - 8)]);
  yield encode(say.setChunkSize(chunkSize));
  writer.chunkSize = chunkSize;
  yield encode(say.command(0, 'connect', 1, { app, type: 'nonprivate' }));
  yield encode(say.command(0, 'createStream', 2, null));
  yield encode(say.command(streamId, 'publish', 3, null, key, 'live'));
  for await (const tag of flvTags(flv)) {
    const message = { type: tag.readUInt8(0) & 0x1f, streamId, timestamp: timeOf(tag), payload: tag.subarray(tagHead) };
    yield encode({ chunkStream: message.type === say.messageType.video ? 6 : 4, message });
  }
}

/** FLV 10.1, E.4.1: the upper eight bits come last. */
const timeOf = (tag: Buffer): number => tag.readUIntBE(4, 3) + tag.readUInt8(7) * 0x1000000;

/** Whole tags without the length behind each, from a stream that was cut anywhere. */
async function* flvTags(flv: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let skip = fileHead + tagTail;
  for await (const bytes of flv) {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      if (rest.length < skip + tagHead) break;
      const end = skip + tagHead + rest.readUIntBE(skip + 1, 3);
      if (rest.length < end) break;
      yield rest.subarray(skip, end);
      rest = rest.subarray(end);
      skip = tagTail;
    }
  }
}
