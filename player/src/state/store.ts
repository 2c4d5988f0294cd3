/** One value that several parts of the page look at. Whoever looks is told when it changes. */
export type Store<T> = {
  get(): T;
  set(next: T): void;
  /** Returns the way to stop. */
  subscribe(listener: () => void): () => void;
};

export const createStore = <T>(first: T): Store<T> => {
  let value = first;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
