/** The storyboard of what is played: loaded when somebody points at the bar for the first time, and never before. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { onThisHost } from '../api/endpoints.ts';
import type { Cell } from '../lib/storyboard.ts';

export type Storyboard = {
  /** Null: none, or not here yet. */
  at(time: number): Cell | null;
  /** Somebody looks for a place. */
  want(): void;
  /** An image of it could not be loaded: the address may have run out. The next one who looks asks for it anew. */
  failed(): void;
};

/** How the same storyboard is known again: addresses of private videos hold another grant each time. */
const versionOf = (address: string): string => address.slice(address.lastIndexOf('/'));

const load = async (address: string): Promise<(time: number) => Cell | null> => {
  const [{ cellsOf, cellAt }, answer] = await Promise.all([import('../lib/storyboard.ts'), fetch(address)]);
  if (!answer.ok) throw new Error(`The storyboard: ${answer.status}.`);
  const cells = cellsOf(await answer.text(), new URL(address, location.href).href);
  return (time) => cellAt(cells, time);
};

/** After a failure, so long nobody is asked again. */
const restMs = 10_000;

export const useStoryboard = (address: string | null): Storyboard => {
  const [find, setFind] = useState<{ is: (time: number) => Cell | null } | null>(null);
  const asked = useRef(false);
  const resting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const version = address === null ? null : versionOf(address);
  const current = useRef(version);
  current.current = version;
  useEffect(() => {
    asked.current = false;
    setFind(null);
    // What failed of one video says nothing of the next.
    return () => clearTimeout(resting.current);
  }, [version]);
  const rest = (): void => {
    if (current.current !== version) return;
    clearTimeout(resting.current);
    resting.current = setTimeout(() => (asked.current = false), restMs);
  };
  return {
    at: (time) => find?.is(time) ?? null,
    want() {
      if (asked.current || address === null) return;
      asked.current = true;
      load(onThisHost(address)).then((is) => {
        if (current.current === version) setFind({ is });
      }, rest);
    },
    failed() {
      setFind(null);
      rest();
    },
  };
};
