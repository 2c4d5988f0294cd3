/** Hooks that tie a component to what changes outside of it. */
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import { ApiProblem } from '../api/problem.ts';
import type { Store } from './store.ts';

export const useStore = <T>(store: Store<T>): T => {
  const [, again] = useReducer((count: number, step: number) => count + step, 0);
  const shown = store.get();
  useEffect(() => {
    const look = (): void => again(1);
    // It may have changed between the drawing and this: on a busy machine there is a moment in between.
    if (!Object.is(store.get(), shown)) look();
    return store.subscribe(look);
  }, [store]);
  return shown;
};

export const useTitle = (title: string): void => {
  useEffect(() => {
    document.title = title === '' ? 'Millrace' : `${title} · Millrace`;
  }, [title]);
};

export type Loaded<T> =
  | { readonly is: 'loading' }
  | { readonly is: 'here'; readonly value: T }
  | { readonly is: 'failed'; readonly problem: ApiProblem };

export type Loading<T> = { readonly now: Loaded<T>; reload(): void; replace(value: T): void };

/** Loads when `key` changes, and again on `reload` without going back to the skeleton. `null` waits. */
export const useLoaded = <T>(key: string | null, load: () => Promise<T>): Loading<T> => {
  const [state, setState] = useState<{ key: string | null; now: Loaded<T> }>({ key, now: { is: 'loading' } });
  const [turn, setTurn] = useState(0);
  const loader = useRef(load);
  loader.current = load;
  // Before the paint: the request is on its way while the browser draws the skeleton.
  useLayoutEffect(() => {
    if (key === null) return;
    let current = true;
    const settle = (now: Loaded<T>): void => {
      if (current) setState({ key, now });
    };
    loader.current().then(
      (value) => settle({ is: 'here', value }),
      (error: unknown) => settle({ is: 'failed', problem: ApiProblem.from(error) }),
    );
    return () => {
      current = false;
    };
  }, [key, turn]);
  return {
    now: state.key === key ? state.now : { is: 'loading' },
    reload: () => setTurn((count) => count + 1),
    replace: (value) => setState({ key, now: { is: 'here', value } }),
  };
};

/** Renders again every so often, for what grows old while it is looked at. */
export const useAgain = (milliseconds: number): void => {
  const [, again] = useReducer((count: number, step: number) => count + step, 0);
  useEvery(milliseconds, () => again(1));
};

/** Does it, and not again for what fails in the same way directly afterwards: what fails as often as it is tried is not tried without end. */
export const useNowAndThen = (act: () => void): (() => void) => {
  const at = useRef(-Infinity);
  return () => {
    const now = performance.now();
    if (now - at.current > 10_000) act();
    at.current = now;
  };
};

/** Calls `tick` every so often while the page is seen; a hidden tab asks nothing of the server. */
export const useEvery = (milliseconds: number, tick: () => void): void => {
  const latest = useRef(tick);
  latest.current = tick;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
};
