/** What is said about an upload, kept as it is typed: a pause of the hand, or leaving a field, sends it to the server. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { UploadMetadata } from '../../../api/endpoints.ts';
import { ApiProblem } from '../../../api/problem.ts';
import type { UploadItem } from '../../../upload/index.ts';
import { queue } from './queue.ts';

const pause = 700;

export const titleOf = (filename: string): string => {
  const name = filename.normalize('NFC');
  return name.replace(/\.[^.]{1,5}$/, '') || name;
};

/** Which smaller pictures it gets was chosen with the file. */
export type Values = Readonly<Required<Omit<UploadMetadata, 'ladder'>>>;

export type Draft = {
  readonly values: Values;
  /** `slow`: typed, so it waits for the hand to rest. */
  set(change: UploadMetadata, slow?: boolean): void;
  /** Sends what is waiting. */
  flush(): void;
  readonly is: 'same' | 'waiting' | 'saving' | 'saved';
  readonly problem: ApiProblem | null;
};

const valuesOf = ({ filename, metadata }: UploadItem): Values => ({
  title: metadata.title ?? titleOf(filename),
  description: metadata.description ?? '',
  visibility: metadata.visibility ?? 'private',
  downloads: metadata.downloads ?? true,
  protection: metadata.protection ?? 'none',
});

export const useDraft = (item: UploadItem): Draft => {
  const [typed, setTyped] = useState<UploadMetadata>({});
  const [is, setIs] = useState<Draft['is']>('same');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const waiting = useRef<UploadMetadata>({});
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const here = useRef(true);

  const flush = (): void => {
    clearTimeout(timer.current);
    const change = Object.fromEntries(
      // A video cannot be without a name: the empty field waits for one.
      Object.entries(waiting.current).filter(([name, value]) => name !== 'title' || String(value).trim() !== ''),
    ) as UploadMetadata;
    if (Object.keys(change).length === 0) return;
    waiting.current = {};
    if (here.current) setIs('saving');
    const sent = change.title === undefined ? change : { ...change, title: change.title.trim().normalize('NFC') };
    queue.change(item.key, sent).then(
      () => {
        if (!here.current) return;
        setProblem(null);
        setIs(Object.keys(waiting.current).length === 0 ? 'saved' : 'waiting');
      },
      (error: unknown) => {
        if (!here.current) return;
        setProblem(ApiProblem.from(error));
        setIs('waiting');
        // Kept for the next try, unless something newer was typed meanwhile.
        waiting.current = { ...change, ...waiting.current };
      },
    );
  };
  const latest = useRef(flush);
  latest.current = flush;
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
      latest.current();
    };
  }, []);

  return {
    values: { ...valuesOf(item), ...typed } as Values,
    set(change, slow) {
      setTyped((before) => ({ ...before, ...change }));
      waiting.current = { ...waiting.current, ...change };
      setIs('waiting');
      clearTimeout(timer.current);
      if (slow) timer.current = setTimeout(() => latest.current(), pause);
      else flush();
    },
    flush,
    is,
    problem,
  };
};
