/**
 * For tests: a publisher that speaks RTMP by hand and sends ready-made access units with whatever timestamps a
 * test wants. `connect` resolves when the server has said Publish.Start and rejects with what it said instead.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { AccessUnit, TrackConfig } from '../../packager/media/unit.ts';
import type { AmfObject, AmfValue } from './amf0.ts';
import { ChunkReader } from './chunks.ts';
import type { Message } from './chunks.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { HeaderForm } from './chunk-writer.ts';
import { defaultLimits } from './limits.ts';
import * as say from './messages.ts';
import type { Command, Outgoing } from './messages.ts';
import * as encoder from './test-messages.ts';

export type Status = { readonly level: string; readonly code: string; readonly description: string };

export type ConnectOptions = {
  readonly port: number;
  readonly host?: string;
  readonly app?: string;
  readonly key: string;
  readonly tcUrl?: string;
  readonly flashVer?: string;
  /** What else is said in `connect`. */
  readonly about?: AmfObject;
  /** What is sent before anything else, for servers that bound it. */
  readonly chunkSize?: number;
  /** A connection that is already there, such as a TLS socket. */
  readonly socket?: Socket;
};

/** The server said no, or closed before it said yes. */
export class PublishRefused extends Error {
  readonly status: Status | undefined;
  constructor(status: Status | undefined) {
    super(status ? `${status.code}: ${status.description}` : 'the server closed the connection');
    this.name = 'PublishRefused';
    this.status = status;
  }
}

const handshakeAnswer = 1 + 1536 * 2;

export class RtmpTestClient {
  readonly socket: Socket;
  /** Everything that came by onStatus. */
  readonly statuses: Status[] = [];
  /** What the server said of itself in its answer to `connect`. */
  about: AmfObject = {};
  /** Acknowledgements as they came. */
  readonly acknowledged: number[] = [];
  readonly pongs: number[] = [];
  /** Resolves when the connection is gone, however that came. */
  readonly closed: Promise<void>;
  #key: string;
  #streamId = 1;
  #writer = new ChunkWriter();
  #reader = new ChunkReader({ ...defaultLimits });
  #handshakeLeft = handshakeAnswer;
  #waiting: { readonly wanted: (command: Command) => boolean; readonly resolve: (command: Command) => void }[] = [];

  private constructor(socket: Socket, key: string) {
    this.socket = socket;
    this.#key = key;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.setNoDelay(true);
    socket.on('error', () => {}); // A reset is one of the ways to be closed.
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
  }

  static async connect(options: ConnectOptions): Promise<RtmpTestClient> {
    const socket = options.socket ?? connect(options.port, options.host ?? '127.0.0.1');
    if (socket.connecting) await once(socket, 'connect');
    const client = new RtmpTestClient(socket, options.key);
    try {
      await client.#publish(options);
      return client;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  async #publish({ app = 'live', key, tcUrl, flashVer, about: more, chunkSize = 4096 }: ConnectOptions): Promise<void> {
    this.socket.write(encoder.plainHandshake());
    this.message(say.setChunkSize(chunkSize));
    const names = { ...(tcUrl === undefined ? {} : { tcUrl }), ...(flashVer === undefined ? {} : { flashVer }) };
    this.message(encoder.connectCommand({ app, key, ...names, ...(more && { about: more }) }));
    const connected = await this.#answer((command) => command.name === '_result' && command.transaction === 1);
    const [about = null] = connected.values;
    if (isObject(about)) this.about = about;
    for (const message of encoder.preparation(key)) this.message(message);
    const created = await this.#answer((command) => command.name === '_result' && command.transaction === 4);
    if (typeof created.values[1] === 'number') this.#streamId = created.values[1];
    this.message(encoder.publishCommand(this.#streamId, key));
    await this.#answer((command) => command.name === 'onStatus');
    const status = this.statuses.at(-1);
    if (status?.code !== 'NetStream.Publish.Start') throw new PublishRefused(status);
  }

  /** Resolves when the server has said this by onStatus. */
  async status(code: string): Promise<Status> {
    for (;;) {
      const said = this.statuses.find((status) => status.code === code);
      if (said) return said;
      await this.#answer((command) => command.name === 'onStatus');
    }
  }

  track(config: TrackConfig, timestamp = 0): void {
    this.message(encoder.configMessage(this.#streamId, config, timestamp));
  }

  hint(metadata: Readonly<Record<string, AmfValue>>): void {
    this.message(encoder.metadataMessage(this.#streamId, metadata));
  }

  /** Resolves when the socket takes more, or is gone. */
  async send(unit: AccessUnit): Promise<void> {
    if (this.message(encoder.unitMessage(this.#streamId, unit)) || this.socket.destroyed) return;
    await Promise.race([once(this.socket, 'drain'), this.closed]).catch(() => {}); // `closed` tells of errors.
  }

  /** Any message; false when the socket is full. */
  message({ chunkStream, message }: Outgoing, form: HeaderForm = 0): boolean {
    const room = this.socket.write(this.#writer.encode(chunkStream, message, form));
    if (message.type === say.messageType.setChunkSize) this.#writer.chunkSize = message.payload.readUInt32BE(0);
    return room;
  }

  /** Says that the show is over, as OBS and ffmpeg do, and resolves when the connection is closed. */
  async announceEnd(): Promise<void> {
    for (const message of encoder.goodbye(this.#streamId, this.#key)) this.message(message);
    this.socket.end();
    await this.closed;
  }

  /** Goes without a word. */
  destroy(): void {
    this.socket.destroy();
  }

  /** The next command that the test is waiting for; rejects when the connection closes first. */
  #answer(wanted: (command: Command) => boolean): Promise<Command> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ wanted, resolve });
      void this.closed.then(() => reject(new PublishRefused(this.statuses.at(-1))));
    });
  }

  #onData(bytes: Buffer): void {
    const skipped = Math.min(this.#handshakeLeft, bytes.length);
    this.#handshakeLeft -= skipped;
    this.#reader.feed(bytes.subarray(skipped));
    for (let message = this.#reader.next(); message; message = this.#reader.next()) this.#onMessage(message);
  }

  #onMessage(message: Message): void {
    if (message.type === say.messageType.userControl && message.payload.readUInt16BE(0) === 7) {
      this.pongs.push(message.payload.readUInt32BE(2));
      return;
    }
    const meaning = say.interpret(message, defaultLimits);
    if (meaning.kind === 'acknowledgement') this.acknowledged.push(meaning.bytes);
    if (meaning.kind !== 'command') return;
    const { command } = meaning;
    if (command.name === 'onStatus') this.statuses.push(readStatus(command.values[1]));
    const index = this.#waiting.findIndex(({ wanted }) => wanted(command));
    this.#waiting.splice(index, index < 0 ? 0 : 1)[0]?.resolve(command);
  }
}

const isObject = (value: AmfValue): value is AmfObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const readStatus = (info: AmfValue): Status => {
  const { level, code, description } = isObject(info) ? info : {};
  return { level: String(level), code: String(code), description: String(description) };
};
