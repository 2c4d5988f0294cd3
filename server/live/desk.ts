/** The desk where publishers ask to be let in: who they are, whether the channel is free, whether they ask too often. */
import type { Clock } from '../../packager/clock.ts';
import type { EvictReason, PublishDesk, PublishRequest, PublishSink, PublishVerdict } from '../../packager/media/publish.ts';
import type { ResolvedKey, StreamKeyStore } from '../catalog/stream-keys.ts';
import type { ServerLog } from '../log.ts';
import { LiveChannel, type ChannelHost } from './channel.ts';
import { WrongKeys } from './wrong-keys.ts';

export type DeskOptions = Omit<ChannelHost, 'changed'> & {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly streamKeys: Pick<StreamKeyStore, 'resolve'>;
  /** What a sender over SRT has to know; null: nothing. */
  readonly passphraseOf: (channelId: string) => Promise<string | null>;
  readonly takeoverSilence: number;
  /** Puts itself between a publisher and its channel, to see what comes. */
  readonly measured?: (channelId: string, request: PublishRequest, sink: PublishSink) => PublishSink;
  readonly changed: ChannelHost['changed'];
};

const stopping: PublishVerdict = { ok: false, code: 'shutting-down', message: 'The server is stopping. Try again in a moment.' };

export class LiveDesk implements PublishDesk {
  readonly #o: DeskOptions;
  readonly #channels = new Map<string, LiveChannel>();
  readonly #wrongKeys: WrongKeys;
  #closing = false;

  constructor(options: DeskOptions) {
    this.#o = options;
    this.#wrongKeys = new WrongKeys(options.clock);
  }

  /** Channels on which something is live, starting or waited for. */
  get channels(): readonly LiveChannel[] {
    return [...this.#channels.values()].filter(({ idle }) => !idle);
  }

  channel(id: string): LiveChannel | null {
    return this.#channels.get(id) ?? null;
  }

  async admit(request: PublishRequest): Promise<PublishVerdict> {
    if (this.#closing) return stopping;
    const key = await this.#o.streamKeys.resolve(request.key);
    if (this.#closing) return stopping;
    // A right key is always let in: others behind the same address may have wrong ones, and keys cannot be guessed.
    if (!key) return this.#unknownKey(request);
    if (request.proves && !(await request.proves(await this.#o.passphraseOf(key.channelId)))) return this.#wrongPassphrase(request, key);
    if (this.#closing) return stopping;
    const channel = this.#open(key);
    if (!channel.admits(request.address, this.#o.takeoverSilence)) {
      return { ok: false, code: 'busy', message: 'Somebody is already live on this channel with another connection.' };
    }
    this.#o.log.info({ channel: key.channelId, address: request.address, protocol: request.protocol, software: request.software }, 'A publisher is in.');
    const sink = await channel.attach(request, key);
    return { ok: true, sink: this.#o.measured?.(key.channelId, request, sink) ?? sink };
  }

  /** An encoder that retries for ever is answered, but not logged and looked at each time. */
  #unknownKey({ address, protocol }: PublishRequest): PublishVerdict {
    const waitSeconds = this.#wrongKeys.waitSeconds(address);
    if (waitSeconds > 0) return { ok: false, code: 'slow-down', message: `Too many wrong stream keys from this address. Try again in ${waitSeconds} s.` };
    this.#wrongKeys.failed(address);
    this.#o.log.warn({ address, protocol }, 'A publisher came with an unknown stream key.');
    return { ok: false, code: 'unknown-key', message: 'This stream key is not known here. Copy it again from the channel’s page.' };
  }

  #wrongPassphrase({ address, protocol }: PublishRequest, { channelId }: ResolvedKey): PublishVerdict {
    this.#o.log.warn({ channel: channelId, address, protocol }, 'A publisher came with the right stream key and the wrong passphrase.');
    return { ok: false, code: 'wrong-passphrase', message: 'The passphrase does not fit this channel.' };
  }

  /** The channel, known from now on: also for what a restart finds unfinished. */
  #open(key: ResolvedKey): LiveChannel {
    const known = this.#channels.get(key.channelId);
    if (known) return known;
    const channel = new LiveChannel(key, {
      ...this.#o,
      changed: (changed, status) => {
        this.#o.changed(changed, status);
        if (changed.idle) this.#channels.delete(changed.id);
      },
    });
    this.#channels.set(key.channelId, channel);
    return channel;
  }

  resume(key: ResolvedKey): LiveChannel {
    return this.#open(key);
  }

  /** False: nothing is live there. */
  async end(channelId: string, reason: EvictReason): Promise<boolean> {
    const channel = this.#channels.get(channelId);
    if (!channel || channel.idle) return false;
    await channel.end(reason);
    return true;
  }

  async keyRevoked(channelId: string, streamKeyId: string): Promise<void> {
    const channel = this.#channels.get(channelId);
    if (channel?.usesKey(streamKeyId)) await channel.end('key-revoked');
  }

  /** Lets every publisher go; their shows wait in the catalog for the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#channels.values()].map((channel) => channel.suspend()));
  }
}
