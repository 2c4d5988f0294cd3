/** The code of what only owners see: loaded for them alone, viewers have no use for it. */
import { useEffect, useState } from 'preact/hooks';

const load = async () => {
  const [{ OwnerTools }, { OwnerActions }] = await Promise.all([import('./owner-tools.tsx'), import('./owner-actions.tsx')]);
  return { OwnerTools, OwnerActions };
};

type OwnerCode = Awaited<ReturnType<typeof load>>;

/** Null: not here yet, or not for this person. */
export const useOwnerCode = (own: boolean): OwnerCode | null => {
  const [code, setCode] = useState<OwnerCode | null>(null);
  useEffect(() => {
    if (!own) return;
    let current = true;
    load().then(
      (loaded) => current && setCode(loaded),
      () => {}, // without it the page plays as for everybody
    );
    return () => {
      current = false;
    };
  }, [own]);
  return code;
};
