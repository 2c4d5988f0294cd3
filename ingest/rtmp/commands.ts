/**
 * The command flow of a publisher (RTMP 1.0, section 7.2, and what FMLE added) as a state machine: a command in,
 * what is to be done out.
 *
 *     greeting ──connect──▶ connected ──publish──▶ asked ──accept──▶ live ──FCUnpublish, deleteStream──▶ over
 */
import type { AmfObject, AmfValue } from './amf0.ts';
import { canReconnect, capabilities } from './capabilities.ts';
import { refusalStatus, RtmpError } from './errors.ts';
import type { RefusalCode } from '../../packager/media/publish.ts';
import * as say from './messages.ts';
import type { Command, Outgoing } from './messages.ts';
import { streamKey } from './stream-key.ts';

export type Effect =
  | { readonly kind: 'send'; readonly message: Outgoing }
  | { readonly kind: 'publish'; readonly key: string; readonly software: string | undefined }
  /** The sender said that the show is over. */
  | { readonly kind: 'over' };

export const serverWindow = 2_500_000;
export const serverChunkSize = 65_536;
const longestSoftware = 128;
const mostStreams = 16;

export class CommandFlow {
  #state: 'greeting' | 'connected' | 'asked' | 'live' | 'over' = 'greeting';
  #app = '';
  #tcUrl = '';
  #software: string | undefined;
  #returns = false;
  #streams = 0;
  #published = 0;

  /** Whether the peer has introduced itself, so that it understands a status message. */
  get connected(): boolean {
    return this.#state !== 'greeting';
  }

  /** Throws RtmpError. */
  handle(command: Command): readonly Effect[] {
    switch (command.name) {
      case 'connect':
        return this.#connect(command);
      case 'releaseStream':
        return this.#inSession([result(command, undefined)]);
      case 'FCPublish':
        // Some hardware waits for onFCPublish before it goes on. Other servers put Publish.Start into it, which would
        // be a yes before anybody was asked.
        return this.#inSession([
          result(command, undefined),
          send(say.command(0, 'onFCPublish', 0, null, fmleStatus('NetStream.FCPublish.Success'))),
        ]);
      case 'createStream':
        return this.#createStream(command);
      case 'publish':
        return this.#publish(command);
      case 'FCUnpublish':
        return this.#over([send(say.command(0, 'onFCUnpublish', 0, null, fmleStatus('NetStream.Unpublish.Success')))]);
      case 'closeStream':
        return this.#over([]);
      case 'deleteStream':
        return this.#isAnother(command.values[1]) ? [] : this.#over([]);
      case 'play':
      case 'play2':
        throw new RtmpError('play');
      default:
        // _checkbw, getStreamLength, FCSubscribe and whatever a sender invents: unknown commands are no error.
        return [];
    }
  }

  /** What to say when the desk let the publisher in. */
  accept(): readonly Outgoing[] {
    this.#state = 'live';
    return [
      say.streamBegin(this.#published),
      say.status(this.#published, 'status', 'NetStream.Publish.Start', 'the stream is live'),
    ];
  }

  refuse(code: RefusalCode, words: string): Outgoing {
    return this.farewell(refusalStatus[code], words);
  }

  farewell(code: string, words: string): Outgoing {
    this.#state = 'over';
    return say.status(this.#published, 'error', code, words);
  }

  /** Null: this sender has not said that it understands. */
  reconnectRequest(words: string): Outgoing | null {
    if (!this.#returns || this.#state !== 'live') return null;
    this.#state = 'over';
    // Enhanced RTMP, "Reconnect Request": an event of the connection, and so on stream 0. Without a tcUrl it is the same one.
    return say.status(0, 'status', 'NetConnection.Connect.ReconnectRequest', words);
  }

  #connect(command: Command): readonly Effect[] {
    if (this.#state !== 'greeting') throw new RtmpError('command-order', 'connect twice');
    const about = command.values[0];
    if (!isObject(about)) throw new RtmpError('command-order', 'connect without its object');
    this.#app = text(about['app']);
    this.#tcUrl = text(about['tcUrl']) || text(about['tcurl']);
    this.#software = softwareName(text(about['flashVer']));
    this.#returns = canReconnect(about);
    this.#state = 'connected';
    return [
      send(say.windowSize(serverWindow)),
      send(say.peerBandwidth(serverWindow)),
      send(say.setChunkSize(serverChunkSize)),
      send(
        say.command(
          0,
          '_result',
          command.transaction,
          { fmsVer: 'FMS/3,5,7,7009', capabilities: 31, ...capabilities(about) },
          {
            level: 'status',
            code: 'NetConnection.Connect.Success',
            description: 'connected',
            objectEncoding: 0,
          },
        ),
      ),
    ];
  }

  #createStream(command: Command): readonly Effect[] {
    if (this.#streams >= mostStreams) throw new RtmpError('command-order', 'too many streams created');
    const effects = this.#inSession([result(command, this.#streams + 1)]);
    this.#streams += 1;
    return effects;
  }

  #publish(command: Command): readonly Effect[] {
    if (this.#state !== 'connected') throw new RtmpError('command-order', 'publish');
    // Before the key is looked at: a refusal has to reach the stream that asked.
    this.#published = command.streamId;
    const name = text(command.values[1]);
    const key = streamKey({ app: this.#app, name, tcUrl: this.#tcUrl });
    this.#state = 'asked';
    return [{ kind: 'publish', key, software: this.#software }];
  }

  #over(effects: readonly Effect[]): readonly Effect[] {
    // FCUnpublish is followed by deleteStream: the first one ends the show.
    if (this.#state !== 'live') return effects;
    this.#state = 'over';
    const bye = say.status(this.#published, 'status', 'NetStream.Unpublish.Success', 'the stream has ended');
    return [...effects, send(bye), { kind: 'over' }];
  }

  /** A stream that was created and never published: deleting it ends nothing. Some gear publishes on stream 0. */
  #isAnother(streamId: AmfValue): boolean {
    return typeof streamId === 'number' && this.#published !== 0 && streamId !== this.#published;
  }

  #inSession(effects: readonly Effect[]): readonly Effect[] {
    if (this.#state === 'greeting') throw new RtmpError('command-order', 'before connect');
    return effects;
  }
}

const send = (message: Outgoing): Effect => ({ kind: 'send', message });

const result = (command: Command, value: AmfValue): Effect =>
  send(say.command(0, '_result', command.transaction, null, value));

const fmleStatus = (code: string): AmfObject => ({ level: 'status', code, description: '' });

const isObject = (value: AmfValue): value is AmfObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: AmfValue): string => (typeof value === 'string' ? value : '');

/** What an encoder calls itself is shown to people and written to logs: printable, short, or nothing. */
const softwareName = (flashVer: string): string | undefined => {
  const printable = flashVer.replace(/[^\x20-\x7e]/g, '').trim();
  return printable === '' ? undefined : printable.slice(0, longestSoftware);
};
