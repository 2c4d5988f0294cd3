/**
 * The desk where publishers ask to be let in:
 *
 *     key ─▶ network ─▶ passphrase ─▶ is the channel free? ─▶ the operator's hook ─▶ key, network and channel again ─▶ in
 *
 * Whoever has a key that is not known, and whoever uses a known one from elsewhere, hear the same.
 */
import type { Clock } from '../../packager/clock.ts';
import type { EvictReason, PublishDesk, PublishRequest, PublishSink, PublishVerdict } from '../../packager/media/publish.ts';
import { clientKey } from '../auth/address.ts';
import type { ResolvedKey, StreamKeyStore } from '../catalog/stream-keys.ts';
import type { PublishHook, Visit } from '../hooks/publish-hook.ts';
import type { ServerLog } from '../log.ts';
import { networkList } from '../networks.ts';
import type { AttemptReason, Attempts } from './attempts.ts';
import { LiveChannel, type ChannelHost } from './channel.ts';
import { WrongKeys } from './wrong-keys.ts';

export type DeskOptions = Omit<ChannelHost, 'changed'> & {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly streamKeys: Pick<StreamKeyStore, 'resolve'>;
  /** What a sender over SRT has to know; null: nothing. */
  readonly passphraseOf: (channelId: string) => Promise<string | null>;
  /** A second encoder with the key of the one that is on was refused. */
  readonly rival: (channelId: string) => void;
  /** Puts itself between a publisher and its channel, to see what comes. */
  readonly measured?: (channelId: string, request: PublishRequest, sink: PublishSink) => PublishSink;
  /** Who was not let in is written down there. */
  readonly attempts: Pick<Attempts, 'note'>;
  /** Null: nobody else is asked. */
  readonly hook: Pick<PublishHook, 'visit'> | null;
  readonly changed: ChannelHost['changed'];
};

const stopping: PublishVerdict = { ok: false, code: 'shutting-down', message: 'The server is stopping. Try again in a moment.' };
const busy: PublishVerdict = { ok: false, code: 'busy', message: 'Somebody is already live on this channel with another connection.' };
const rival: PublishVerdict = { ok: false, code: 'busy', message: 'Another encoder is live with this stream key from your address. Stop one of the two.' };
const hungUp: PublishVerdict = { ok: false, code: 'refused', message: 'The sender has gone.' };
const unknownKey: PublishVerdict = { ok: false, code: 'unknown-key', message: 'This stream key is not known here. Copy it again from the channel’s page.' };
const slowDown = (what: string, seconds: number): PublishVerdict => ({ ok: false, code: 'slow-down', message: `${what} Try again in ${seconds} s.` });

export class LiveDesk implements PublishDesk {
  readonly #o: DeskOptions;
  readonly #channels = new Map<string, LiveChannel>();
  readonly #wrongKeys: WrongKeys;
  /** Keys that the hook or a passphrase did not let in: by key as well, since it is known. */
  readonly #refusals: WrongKeys;
  #closing = false;
  #asked = 0;

  constructor(options: DeskOptions) {
    this.#o = options;
    this.#wrongKeys = new WrongKeys(options.clock);
    this.#refusals = new WrongKeys(options.clock);
  }

  /** Channels on which something is live, starting or waited for. */
  get channels(): readonly LiveChannel[] {
    return [...this.#channels.values()].filter(({ idle }) => !idle);
  }

  channel(id: string): LiveChannel | null {
    return this.#channels.get(id) ?? null;
  }

  async admit(request: PublishRequest): Promise<PublishVerdict> {
    const asked = (this.#asked += 1);
    if (this.#closing) return stopping;
    const key = await this.#o.streamKeys.resolve(request.key);
    if (this.#closing) return stopping;
    // A right key is always let in: others behind the same address may have wrong ones, and keys cannot be guessed.
    if (!key) return this.#strangeKey(request, null);
    if (!mayComeFrom(request, key)) return this.#strangeKey(request, key);
    const seconds = this.#refusals.waitSeconds(clientOf(request, key));
    if (seconds > 0) return slowDown('This stream was refused too often.', seconds);
    if (request.proves && !(await request.proves(await this.#o.passphraseOf(key.channelId)))) {
      this.#refused('wrong-passphrase', request, key);
      return { ok: false, code: 'wrong-passphrase', message: 'The passphrase does not fit this channel.' };
    }
    if (this.#closing) return stopping;
    if (request.left?.aborted) return hungUp;
    const taken = this.#taken(request, key, asked);
    if (taken) return taken;
    return this.#o.hook ? this.#askThenTake(this.#o.hook.visit(request, key), key, asked) : this.#take(request, key, asked);
  }

  async #take(request: PublishRequest, key: ResolvedKey, asked: number): Promise<PublishVerdict> {
    const { protocol, address, software } = request;
    this.#o.log.info({ channel: key.channelId, address, protocol, software }, 'A publisher is in.');
    const channel = this.#open(key);
    const sink = await channel.attach(request, key, asked);
    // Two may have waited for the end of the show before: who has lost the channel meanwhile is not what comes in there.
    const measured = channel.isOf(request) ? this.#o.measured?.(key.channelId, request, sink) : null;
    return { ok: true, sink: measured ?? sink };
  }

  async #askThenTake(visit: Visit, key: ResolvedKey, asked: number): Promise<PublishVerdict> {
    const { request } = visit;
    const answer = await visit.ask();
    if (!answer.allow) {
      if (answer.why === 'refused') this.#refused('hook-refused', request, key, answer.reason);
      else if (answer.why === 'no-answer') this.#refused('hook-failed', request, key);
      return { ok: false, code: 'refused', message: answer.reason };
    }
    let taken = false;
    try {
      // Nobody has stood still meanwhile: the sender may have gone, the key may have been revoked or bound, and somebody else may be on.
      const now = await this.#o.streamKeys.resolve(request.key);
      if (this.#closing) return stopping;
      if (request.left?.aborted) return hungUp;
      if (!now) return unknownKey;
      if (!mayComeFrom(request, now)) return this.#strangeKey(request, now);
      const lost = this.#taken(request, now, asked);
      if (lost) return lost;
      const verdict = await this.#take(request, now, asked);
      taken = verdict.ok;
      return verdict.ok ? { ok: true, sink: visit.wrap(verdict.sink) } : verdict;
    } finally {
      if (!taken) visit.over('not-started');
    }
  }

  /** Null: the channel is free, or to be had. */
  #taken(request: PublishRequest, { channelId, streamKeyId }: ResolvedKey, asked: number): PublishVerdict | null {
    const { address, protocol, software } = request;
    const channel = this.#channels.get(channelId);
    const ruling = channel?.admits({ address, streamKeyId, asked }) ?? 'free';
    if (ruling !== 'rival') return ruling === 'free' ? null : busy;
    const isNew = channel?.rivalRefused();
    this.#o.attempts.note('two-encoders', request, { channelId });
    this.#o.rival(channelId);
    // It comes for as long as it is on, and each time is counted: the log hears of it once.
    if (isNew) this.#o.log.info({ channel: channelId, address, protocol, software }, 'A second encoder with the same stream key was refused: the two would take turns.');
    return rival;
  }

  /** An encoder that retries for ever is answered and counted, but not logged each time. `key`: known, and not from there. */
  #strangeKey(request: PublishRequest, key: ResolvedKey | null): PublishVerdict {
    const { address, protocol } = request;
    const reason = key ? 'forbidden-network' : 'unknown-key';
    this.#o.attempts.note(reason, request, key);
    const seconds = this.#wrongKeys.waitSeconds(clientKey(address));
    if (seconds > 0) return slowDown('Too many wrong stream keys from this address.', seconds);
    this.#wrongKeys.failed(clientKey(address));
    this.#o.log.warn({ address, protocol, ...(key && { channel: key.channelId }) }, key ? 'A publisher came from a network that its stream key is not for.' : 'A publisher came with an unknown stream key.');
    return unknownKey;
  }

  #refused(reason: AttemptReason, request: PublishRequest, key: ResolvedKey, detail?: string): void {
    const { address, protocol } = request;
    const { channelId } = key;
    // No answer is no refusal: who is slowed down for it would stay away longer than the hook does.
    if (reason !== 'hook-failed') this.#refusals.failed(clientOf(request, key));
    this.#o.attempts.note(reason, request, { channelId, ...(detail !== undefined && { detail }) });
    this.#o.log.warn({ channel: channelId, address, protocol, reason, ...(detail !== undefined && { detail }) }, 'A publisher with the right stream key was refused.');
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

const mayComeFrom = ({ address }: PublishRequest, { allowedNetworks }: ResolvedKey): boolean => allowedNetworks.length === 0 || networkList(allowedNetworks)(address);

/** One encoder with one key: others with the same key, or behind the same address, do not wait for it. */
const clientOf = ({ address }: PublishRequest, { streamKeyId }: ResolvedKey): string => `${clientKey(address)} ${streamKeyId}`;
