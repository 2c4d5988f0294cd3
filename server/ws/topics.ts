/**
 * What one can subscribe to. A topic is `kind:name`, or a kind of which there is only one; its kind says who may, what the
 * state is now, and what the topic's one true name is (`channel:@name` and `channel:<id>` are the same).
 */
import type { Who } from '../auth/auth.ts';
import type { Asker } from '../delivery/presentation.ts';

/** A grant that was handed on, and who brings it. */
export type ByGrant = { readonly text: string; readonly from: Asker };
/** The true name of what may be heard; by a grant, until when (ms since 1970). */
export type Allowed = string | { readonly name: string; readonly until: number };

export type TopicKind = {
  /** The true name behind `kind:`, empty where nothing is behind it; null: there is none, or not for this one. Asked again by `recheck`. */
  authorise(name: string, who: Who | null, by: ByGrant | null): Promise<Allowed | null>;
  /** The state now, of a true name. */
  snapshot(name: string, who: Who | null): Promise<unknown>;
};

export type FoundTopic = { readonly topic: string; /** Infinity: for as long as it may be seen. */ readonly until: number; snapshot(): Promise<unknown> };

const topicShape = /^([a-z][a-z-]{0,30})(?::(\S{1,100}))?$/;

export class Topics {
  readonly #kinds = new Map<string, TopicKind>();

  define(kind: string, topic: TopicKind): void {
    this.#kinds.set(kind, topic);
  }
  async find(asked: string, who: Who | null, by: ByGrant | null): Promise<FoundTopic | null> {
    const [, kindName = '', name = ''] = topicShape.exec(asked) ?? [];
    const kind = this.#kinds.get(kindName);
    const allowed = kind ? await kind.authorise(name, who, by) : null;
    if (!kind || allowed === null) return null;
    const { name: trueName, until } = typeof allowed === 'string' ? { name: allowed, until: Infinity } : allowed;
    return { topic: trueName === '' ? kindName : `${kindName}:${trueName}`, until, snapshot: () => kind.snapshot(trueName, who) };
  }
}
