/**
 * What one can subscribe to. A topic is `kind:name`; its kind says who may, what the state is now, and what the
 * topic's one true name is (`channel:@name` and `channel:<id>` are the same).
 */
import type { Who } from '../auth/auth.ts';

export type TopicKind = {
  /** The true name behind `kind:`; null: there is none, or not for this one. Asked again by `recheck`. */
  authorise(name: string, who: Who | null): Promise<string | null>;
  /** The state now, of a true name. */
  snapshot(name: string, who: Who | null): Promise<unknown>;
};

export type FoundTopic = { readonly topic: string; snapshot(): Promise<unknown> };

const topicShape = /^([a-z][a-z-]{0,30}):(\S{1,100})$/;

export class Topics {
  readonly #kinds = new Map<string, TopicKind>();

  define(kind: string, topic: TopicKind): void {
    this.#kinds.set(kind, topic);
  }
  async find(asked: string, who: Who | null): Promise<FoundTopic | null> {
    const [, kindName = '', name = ''] = topicShape.exec(asked) ?? [];
    const kind = this.#kinds.get(kindName);
    const trueName = kind ? await kind.authorise(name, who) : null;
    if (!kind || trueName === null) return null;
    return { topic: `${kindName}:${trueName}`, snapshot: () => kind.snapshot(trueName, who) };
  }
}
