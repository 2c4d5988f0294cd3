/** The storyboard of what is played: loaded when somebody points at the bar for the first time, and never before. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { onThisHost } from '../api/endpoints.ts';
import { versionOf } from '../lib/picture-address.ts';
import type { Cell } from '../lib/storyboard.ts';

export type Storyboard = {
  /** Null: none, or not here yet. */
  at(time: number): Cell | null;
  /** Somebody looks for a place. */
  want(): void;
  /** An image of it could not be loaded. */
  failed(): void;
};

const load = async (address: string): Promise<(time: number) => Cell | null> => {
  const [{ cellsOf, cellAt }, answer] = await Promise.all([import('../lib/storyboard.ts'), fetch(address)]);
  if (!answer.ok) throw new Error(`The storyboard: ${answer.status}.`);
  const cells = cellsOf(await answer.text(), new URL(address, location.href).href);
  return (time) => cellAt(cells, time);
};

/** After a failure, so long the same address is not asked again. */
const restMs = 10_000;

/** `onFailed` is told of what could not be loaded. It may bring another address for the same, which is loaded then without anybody looking again. */
export const useStoryboard = (address: string | null, onFailed?: (address: string) => void): Storyboard => {
  const [find, setFind] = useState<{ is: (time: number) => Cell | null } | null>(null);
  const asked = useRef(false);
  const resting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const version = address === null ? null : versionOf(address);
  const current = useRef(version);
  current.current = version;
  const restNoMore = (): void => {
    clearTimeout(resting.current);
    resting.current = undefined;
    asked.current = false;
  };
  const fail = (): void => {
    if (current.current !== version || address === null) return;
    clearTimeout(resting.current);
    resting.current = setTimeout(restNoMore, restMs);
    onFailed?.(address);
  };
  const want = (): void => {
    if (asked.current || address === null) return;
    asked.current = true;
    load(onThisHost(address)).then((is) => {
      if (current.current === version) setFind({ is });
    }, fail);
  };
  useEffect(() => {
    setFind(null);
    // What was asked, or failed, of one video says nothing of the next.
    return restNoMore;
  }, [version]);
  useEffect(() => {
    if (resting.current === undefined) return;
    restNoMore();
    want();
  }, [address]);
  return {
    at: (time) => find?.is(time) ?? null,
    want,
    failed() {
      setFind(null);
      fail();
    },
  };
};
