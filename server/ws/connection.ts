/**
 * One client. It says `{"subscribe": topic}` (with a `grant`, if it has one) or `{"unsubscribe": topic}` and hears `{topic, type, data}`: first
 * the snapshot, then every change after it. A change may be in the snapshot already; it is never missing.
 */
import type { WebSocket } from 'ws';
import type { Clock } from '../../packager/clock.ts';
import type { Who } from '../auth/auth.ts';
import { TokenBuckets } from '../auth/buckets.ts';
import { closeCodes, type WebSocketLimits } from './limits.ts';
import type { Asker } from '../delivery/presentation.ts';
import type { ByGrant, Topics } from './topics.ts';

export type Message = { readonly topic: string; readonly type: string; readonly data?: unknown };

/** Changes that come while the snapshot is being made wait for it. */
type Subscription = { readonly asked: string; readonly by: ByGrant | null; readonly until: number; waiting: Message[] | null };

/** Who is subscribed to what, by true name. */
export type Audience = { join(topic: string, connection: Connection): void; leave(topic: string, connection: Connection): void };

type Parts = {
  readonly socket: WebSocket;
  readonly who: Who | null;
  readonly from: Asker;
  readonly topics: Topics;
  readonly audience: Audience;
  readonly limits: WebSocketLimits;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
};

const mostWaiting = 1_000;

export class Connection {
  readonly who: Who | null;
  readonly #parts: Parts;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #messages: TokenBuckets;
  #asking = 0;
  #answered = true;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.who = parts.who;
    const { burst, perSecond } = parts.limits.messages;
    this.#messages = new TokenBuckets({ burst, refillMs: 1000 / perSecond }, parts.clock, 1);
    parts.socket.on('message', (data, binary) => this.#hear(binary ? null : String(data)));
    parts.socket.on('pong', () => {
      this.#answered = true;
    });
  }

  /** Called at each ping time: asks, or gives up on who did not answer the last one. */
  ping(): void {
    if (!this.#answered) return this.#parts.socket.terminate();
    this.#answered = false;
    this.#parts.socket.ping();
  }
  tell(topic: string, type: string, data: unknown): void {
    const subscription = this.#subscriptions.get(topic);
    if (!subscription) return;
    if (this.#parts.clock.wall() >= subscription.until) return this.#gone(topic, subscription);
    const message = { topic: subscription.asked, type, data };
    if (!subscription.waiting) this.#send(message);
    else if (subscription.waiting.length < mostWaiting) subscription.waiting.push(message);
    else this.close(closeCodes.tooSlow, 'too slow');
  }
  /** Whether it may still hear what it subscribed to. */
  async recheck(topic: string): Promise<void> {
    const subscription = this.#subscriptions.get(topic);
    if (!subscription) return;
    const found = await this.#parts.topics.find(topic, this.who, subscription.by);
    if (found?.topic === topic || this.#subscriptions.get(topic) !== subscription) return;
    this.#gone(topic, subscription);
  }
  close(code: number, reason: string): void {
    this.#parts.socket.close(code, reason);
  }
  /** The socket is closed. */
  ended(): void {
    for (const topic of [...this.#subscriptions.keys()]) this.#drop(topic);
  }

  #gone(topic: string, { asked }: Subscription): void {
    this.#drop(topic);
    this.#send({ topic: asked, type: 'gone' });
  }
  #hear(text: string | null): void {
    if (this.#messages.take('') > 0) return this.close(closeCodes.policy, 'too many messages');
    const order = text === null ? null : parseOrder(text);
    if (!order) return this.#refuse('', 'malformed', 'Send {"subscribe": "<topic>"} or {"unsubscribe": "<topic>"}.');
    if (order.verb === 'unsubscribe') return this.#unsubscribe(order.topic);
    if (this.#subscriptions.size + this.#asking >= this.#parts.limits.subscriptions) {
      return this.#refuse(order.topic, 'too-many', `A connection may have ${this.#parts.limits.subscriptions} subscriptions.`);
    }
    this.#asking += 1;
    this.#subscribe(order.topic, order.grant === null ? null : { text: order.grant, from: this.#parts.from })
      .catch((error: unknown) => {
        this.#parts.onFault(error);
        this.#refuse(order.topic, 'internal', 'This is a mistake of the server, and it has been logged.');
      })
      .finally(() => {
        this.#asking -= 1;
      });
  }
  async #subscribe(asked: string, by: ByGrant | null): Promise<void> {
    const found = await this.#parts.topics.find(asked, this.who, by);
    if (!found) return this.#refuse(asked, 'not-found', 'There is no such topic, or it is not for you to hear.');
    if (this.#parts.socket.readyState !== this.#parts.socket.OPEN) return;
    const subscription: Subscription = { asked, by, until: found.until, waiting: [] };
    this.#subscriptions.set(found.topic, subscription);
    this.#parts.audience.join(found.topic, this);
    try {
      const data = await found.snapshot();
      if (this.#subscriptions.get(found.topic) !== subscription) return;
      this.#send({ topic: asked, type: 'snapshot', data });
      for (const message of subscription.waiting ?? []) this.#send(message);
      subscription.waiting = null;
    } catch (error) {
      if (this.#subscriptions.get(found.topic) === subscription) this.#drop(found.topic);
      throw error;
    }
  }
  #unsubscribe(asked: string): void {
    for (const [topic, subscription] of this.#subscriptions) if (subscription.asked === asked || topic === asked) this.#drop(topic);
  }
  #drop(topic: string): void {
    this.#subscriptions.delete(topic);
    this.#parts.audience.leave(topic, this);
  }
  #refuse(topic: string, code: string, detail: string): void {
    this.#send({ topic, type: 'error', data: { code, detail } });
  }
  #send(message: Message): void {
    const { socket, limits } = this.#parts;
    if (socket.readyState !== socket.OPEN) return;
    // A client that does not read must not make us remember for it.
    if (socket.bufferedAmount > limits.sendBufferBytes) return socket.terminate();
    socket.send(JSON.stringify(message));
  }
}

type Order = { readonly verb: 'subscribe' | 'unsubscribe'; readonly topic: string; readonly grant: string | null };

const longestGrant = 1024;

const parseOrder = (text: string): Order | null => {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return null; // The caller says what would have been right.
  }
  if (typeof said !== 'object' || said === null) return null;
  const grant: unknown = Reflect.get(said, 'grant') ?? null;
  const mayHave = 'grant' in said && 'subscribe' in said ? 2 : 1;
  if (Object.keys(said).length !== mayHave || !(grant === null || (typeof grant === 'string' && grant.length <= longestGrant))) return null;
  for (const verb of ['subscribe', 'unsubscribe'] as const) {
    const topic: unknown = Reflect.get(said, verb);
    if (typeof topic === 'string') return { verb, topic, grant };
  }
  return null;
};
