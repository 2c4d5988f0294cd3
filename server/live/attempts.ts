/**
 * Who wanted to publish and was not let in: for the admin, and for the owner of the channel that it was about. The same
 * attempt again counts up. In memory, and bounded: a flood of wrong keys pushes out its like, and never what was tried
 * with a key that is known, of which each channel keeps a few.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../packager/clock.ts';
import type { Protocol, PublishRequest } from '../../packager/media/publish.ts';

export const attemptReasons = ['unknown-key', 'forbidden-network', 'wrong-passphrase', 'hook-refused', 'hook-failed', 'two-encoders'] as const;
export type AttemptReason = (typeof attemptReasons)[number];

export type Attempt = {
  readonly reason: AttemptReason;
  readonly protocol: Protocol;
  readonly address: string;
  /** What the encoder calls itself. */
  readonly software: string | null;
  /** Tells keys apart, and says nothing of them; another one after each start. */
  readonly keyFingerprint: string;
  /** Null: the key belongs to none. */
  readonly channelId: string | null;
  /** The words of the hook. */
  readonly detail: string | null;
  readonly count: number;
  /** ms since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
};

type About = { readonly channelId: string; readonly detail?: string } | null;

const mostUnknown = 500;
const mostOfChannel = 20;
const mostChannels = 500;

export class Attempts {
  readonly #clock: Clock;
  readonly #secret = randomBytes(32);
  readonly #unknown = new Map<string, Attempt>();
  readonly #ofChannels = new Map<string, Map<string, Attempt>>();
  readonly #counts: Record<AttemptReason, number> = { 'unknown-key': 0, 'forbidden-network': 0, 'wrong-passphrase': 0, 'hook-refused': 0, 'hook-failed': 0, 'two-encoders': 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Since the start, for metrics. */
  get counts(): Readonly<Record<AttemptReason, number>> {
    return this.#counts;
  }

  /** The newest first. */
  all(): Attempt[] {
    return newestFirst([this.#unknown, ...this.#ofChannels.values()].flatMap((attempts) => [...attempts.values()]));
  }

  ofChannel(channelId: string): Attempt[] {
    return newestFirst([...(this.#ofChannels.get(channelId)?.values() ?? [])]);
  }

  note(reason: AttemptReason, { protocol, address, software, key }: PublishRequest, about: About): void {
    this.#counts[reason] += 1;
    const keyFingerprint = createHmac('sha256', this.#secret).update(key).digest('hex').slice(0, 8);
    const channelId = about?.channelId ?? null;
    const into = channelId === null ? this.#unknown : this.#channel(channelId);
    const name = JSON.stringify([reason, protocol, address, keyFingerprint]);
    const before = into.get(name);
    const now = this.#clock.wall();
    const counted = { count: (before?.count ?? 0) + 1, firstAt: before?.firstAt ?? now, lastAt: now };
    put(into, name, { ...{ reason, protocol, address, keyFingerprint, channelId }, software: software ?? null, detail: about?.detail ?? null, ...counted }, channelId === null ? mostUnknown : mostOfChannel);
  }

  #channel(id: string): Map<string, Attempt> {
    const attempts = this.#ofChannels.get(id) ?? new Map<string, Attempt>();
    put(this.#ofChannels, id, attempts, mostChannels);
    return attempts;
  }
}

/** At the end, where it is the last to go. */
const put = <T>(into: Map<string, T>, name: string, value: T, most: number): void => {
  into.delete(name);
  into.set(name, value);
  if (into.size <= most) return;
  const [oldest] = into.keys();
  if (oldest !== undefined) into.delete(oldest);
};

const newestFirst = (attempts: Attempt[]): Attempt[] => attempts.sort((a, b) => b.lastAt - a.lastAt);
