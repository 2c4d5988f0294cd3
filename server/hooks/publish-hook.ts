/**
 * The publish hook: an address of the operator that is asked before a publisher is let in, and told when it has gone.
 *
 *     publish ── yes ──▶ on the air ──▶ publish_done
 *        └────── no ───▶ refused
 *
 * Who hangs up while it thinks is not asked about any longer: what it says to that is not heard, and is followed by nothing.
 * Whoever was let in is followed by one `publish_done`, whatever happens to him, or to this server. A publisher that
 * comes back within the reconnect window is a new one: it is asked about again.
 */
import type { Clock } from '../../packager/clock.ts';
import type { EndReason, EvictReason, PublishRequest, PublishSink } from '../../packager/media/publish.ts';
import type { ResolvedKey } from '../catalog/stream-keys.ts';
import type { HookAnswer, HookCaller } from './call.ts';

export type HookVerdict =
  | { readonly allow: true }
  /** `left`: nobody waits for the answer any more, and there is none. */
  | { readonly allow: false; readonly reason: string; readonly why: 'refused' | 'no-answer' | 'left' };

/** Who owes and pays what the hook is told afterwards. */
export type Notices = { owe(id: string, body: object): Promise<void>; over(id: string, body: object): void };

type Options = {
  readonly caller: Pick<HookCaller, 'call'>;
  readonly notices: Notices;
  readonly onFailure: 'refuse' | 'allow';
  readonly clock: Clock;
  readonly log: { warn(facts: object, message: string): void };
  readonly newId: () => string;
  readonly videoOf: (channelId: string) => string | null;
};

export type HookCounters = { readonly allowed: number; readonly refused: number; readonly failed: number };

const longestReason = 200;
const noAnswer = 'The server could not find out whether this stream may begin. Try again in a moment.';

export class PublishHook {
  readonly #o: Options;
  readonly #counters = { allowed: 0, refused: 0, failed: 0 };

  constructor(options: Options) {
    this.#o = options;
  }

  get counters(): HookCounters {
    return this.#counters;
  }

  visit(request: PublishRequest, key: ResolvedKey): Visit {
    return new Visit(this.#o, this.#counters, request, key);
  }
}

/** One publisher, from its asking to its end. */
export class Visit {
  readonly #o: Options;
  readonly #counters: { allowed: number; refused: number; failed: number };
  readonly #id: string;
  readonly #facts: object;
  readonly #channelId: string;
  readonly #startedAt: number;
  readonly #startedTick: number;
  /** With ears for why it is sent away. */
  readonly request: PublishRequest;
  #evicted: EvictReason | null = null;
  #bytes = 0;
  #over = false;

  constructor(options: Options, counters: { allowed: number; refused: number; failed: number }, request: PublishRequest, key: ResolvedKey) {
    this.#o = options;
    this.#counters = counters;
    this.#id = options.newId();
    this.#channelId = key.channelId;
    this.#startedAt = options.clock.wall();
    this.#startedTick = options.clock.now();
    const { protocol, address, software = null } = request;
    // Never the stream key: whoever answers has no need to be able to publish.
    this.#facts = {
      id: this.#id,
      channel: { id: key.channelId, name: key.channelName, title: key.title },
      ownerId: key.ownerId,
      streamKeyId: key.streamKeyId,
      ...{ protocol, address, software },
    };
    this.request = {
      ...request,
      evict: (reason) => {
        this.#evicted = reason;
        request.evict(reason);
      },
    };
  }

  /** When it says yes, `publish_done` is owed. */
  async ask(): Promise<HookVerdict> {
    const { caller, notices, clock } = this.#o;
    // The video that a publisher who comes back goes on with.
    const videoId = this.#o.videoOf(this.#channelId);
    const body = { event: 'publish', at: new Date(clock.wall()).toISOString(), ...this.#facts, videoId };
    const { left } = this.request;
    const answer = await caller.call('publish', this.#id, JSON.stringify(body), left);
    if (answer.kind === 'failed' && left?.aborted) return { allow: false, why: 'left', reason: noAnswer };
    const verdict = this.#judge(answer);
    // Should nobody ever know how it ended, this is what is said.
    if (verdict.allow) await notices.owe(this.#id, this.#done('server-stopped', videoId, { duration: null, bytes: null }));
    return verdict;
  }

  /** `Required`: a method that is forgotten here would be taken from whoever listens behind. */
  wrap(sink: PublishSink): Required<PublishSink> {
    return {
      track: (config) => sink.track(config),
      write: (unit) => {
        this.#bytes += unit.data.length;
        return sink.write(unit);
      },
      drained: () => sink.drained(),
      event: (event) => sink.event(event),
      hint: (metadata) => sink.hint(metadata),
      line: (report) => sink.line?.(report),
      uncarried: (media, codec) => sink.uncarried?.(media, codec),
      end: (reason) => {
        this.over(reason === 'evicted' ? (this.#evicted ?? 'evicted') : reason);
        sink.end(reason);
      },
    };
  }

  /** `not-started`: it was let in and then there was no place for it. The first end counts. */
  over(reason: EndReason | EvictReason | 'not-started'): void {
    if (this.#over) return;
    this.#over = true;
    const { notices, clock } = this.#o;
    const duration = Math.max(0, clock.now() - this.#startedTick) / 1000;
    notices.over(this.#id, this.#done(reason, this.#o.videoOf(this.#channelId), { duration, bytes: this.#bytes }));
  }

  #done(reason: string, videoId: string | null, counted: object): object {
    const startedAt = new Date(this.#startedAt).toISOString();
    return { event: 'publish_done', ...this.#facts, videoId, startedAt, reason, ...counted };
  }

  #judge(answer: HookAnswer): HookVerdict {
    const said = judgeAnswer(answer);
    if (said.kind !== 'failed') {
      this.#counters[said.kind] += 1;
      return said.kind === 'allowed' ? { allow: true } : { allow: false, why: 'refused', reason: said.reason };
    }
    this.#counters.failed += 1;
    const allow = this.#o.onFailure === 'allow';
    this.#o.log.warn({ channel: this.#channelId, why: said.why, allowed: allow }, 'The publish hook gave no answer.');
    return allow ? { allow } : { allow, why: 'no-answer', reason: noAnswer };
  }
}

type Said = { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'failed'; readonly why: string };

/** 2xx without a body is a yes, 4xx a no; a JSON object may say more. Anything else is no answer. */
export const judgeAnswer = (answer: HookAnswer): Said => {
  if (answer.kind === 'failed') return answer;
  const { status, body } = answer;
  const said = objectOf(body);
  if (status >= 400 && status < 500) return { kind: 'refused', reason: reasonOf(said) };
  if (status < 200 || status > 299) return { kind: 'failed', why: `it answered with status ${status}` };
  if (body.trim() === '') return { kind: 'allowed' };
  if (!said) return { kind: 'failed', why: 'its answer is not a JSON object' };
  const allow = said['allow'] ?? true;
  if (typeof allow !== 'boolean') return { kind: 'failed', why: '`allow` in its answer is neither true nor false' };
  return allow ? { kind: 'allowed' } : { kind: 'refused', reason: reasonOf(said) };
};

const objectOf = (body: string): Readonly<Record<string, unknown>> | null => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

/** It goes to the sender, into the log and onto pages: one line, and short. */
const reasonOf = (said: Readonly<Record<string, unknown>> | null): string => {
  const reason = said?.['reason'];
  // oxlint-disable-next-line no-control-regex
  const line = typeof reason === 'string' ? reason.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim() : '';
  return line === '' ? 'This stream was refused.' : [...line].slice(0, longestReason).join('');
};
