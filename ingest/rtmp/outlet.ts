/** What goes out to a peer: chunks on a socket, and only as much as a peer that reads can leave unread. */
import type { Socket } from 'node:net';
import { ChunkWriter } from './chunk-writer.ts';
import { serverChunkSize } from './commands.ts';
import { RtmpError } from './errors.ts';
import { messageType } from './messages.ts';
import type { Outgoing } from './messages.ts';

export class Outlet {
  #socket: Socket;
  #most: number;
  #writer = new ChunkWriter();

  constructor(socket: Socket, most: number) {
    this.#socket = socket;
    this.#most = most;
  }

  /** Throws RtmpError when too much is waiting. */
  send({ chunkStream, message }: Outgoing): void {
    this.write(this.#writer.encode(chunkStream, message));
    if (message.type === messageType.setChunkSize) this.#writer.chunkSize = serverChunkSize;
  }

  /** Throws RtmpError when too much is waiting. */
  write(bytes: Buffer): void {
    // The peer may have gone between two events of its socket.
    if (!this.#socket.writable) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > this.#most) throw new RtmpError('output-full');
  }

  /** The last message: it is flushed, and then our side is closed. */
  end({ chunkStream, message }: Outgoing): void {
    this.#socket.end(this.#writer.encode(chunkStream, message));
  }
}
