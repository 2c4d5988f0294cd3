/** One's own videos, page by page, and what becomes of those that are under way. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../../../api/endpoints.ts';
import { ApiProblem } from '../../../api/problem.ts';
import type { Video, VideoState } from '../../../api/types.ts';
import { useEvery } from '../../../state/use.ts';
import { isUnderWay, useVideosNow, withNow } from '../../video-now.ts';
import { freshened } from './freshened.ts';

export type Wanted = { readonly text: string; readonly state: VideoState | null };

export type MyVideos = {
  /** Null: not here yet. */
  readonly videos: readonly Video[] | null;
  readonly problem: ApiProblem | null;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  more(): void;
  reload(): void;
  replace(video: Video): void;
  remove(id: string): void;
};

type List = {
  readonly key: string;
  readonly items: readonly Video[] | null;
  readonly cursor: string | null;
  readonly problem: ApiProblem | null;
};

const emptyList = (key: string): List => ({ key, items: null, cursor: null, problem: null });

/** New ones come in from elsewhere too: another tab, another machine, a show that begins. */
const lookAgainAfter = 20_000;

export const useMyVideos = ({ text, state }: Wanted): MyVideos => {
  const key = JSON.stringify([text, state]);
  const [list, setList] = useState<List>(() => emptyList(key));
  const [loadingMore, setLoadingMore] = useState(false);
  /** Answers to a question that is not asked any more are for nobody. */
  const asking = useRef(key);
  asking.current = key;
  const shown = list.key === key ? list : emptyList(key);

  const change = (next: (before: List) => List): void => {
    if (asking.current === key) setList((before) => next(before.key === key ? before : emptyList(key)));
  };
  const changeItems = (next: (items: readonly Video[]) => readonly Video[]): void =>
    change((before) => (before.items ? { ...before, items: next(before.items) } : before));
  // What is shown stays: the next look may succeed.
  const fail = (error: unknown): void => change((before) => ({ ...before, problem: ApiProblem.from(error) }));
  const load = (): void =>
    void api.listMine({ text, state, cursor: null }).then(
      (page) => change((before) => ({ key, problem: null, ...freshened(before.items ?? [], before.cursor, page) })),
      fail,
    );
  const more = (): void => {
    if (shown.cursor === null || loadingMore) return;
    setLoadingMore(true);
    const { cursor } = shown;
    api
      .listMine({ text, state, cursor })
      .then((page) => {
        change((before) => {
          const known = new Set(before.items?.map(({ id }) => id));
          const items = [...(before.items ?? []), ...page.items.filter(({ id }) => !known.has(id))];
          return { key, items, cursor: page.cursor, problem: null };
        });
      }, fail)
      .finally(() => setLoadingMore(false));
  };
  useEffect(load, [key]);
  useEvery(lookAgainAfter, load);

  const items = shown.items ?? [];
  const heard = useVideosNow(items.filter(isUnderWay).map(({ id }) => id));
  const turned = items.filter((video) => (heard.get(video.id)?.state ?? video.state) !== video.state);
  useEffect(() => {
    // A new state brings a length, a size: all of it is asked for once.
    for (const { id } of turned) {
      api.video(id).then(
        (fresh) => changeItems((before) => before.map((video) => (video.id === id ? fresh : video))),
        () => {}, // the next look at the list tells
      );
    }
  }, [turned.map(({ id }) => id).join(' ')]);

  return {
    videos: shown.items?.map((video) => withNow(video, isUnderWay(video) ? heard.get(video.id) : undefined)) ?? null,
    problem: shown.problem,
    hasMore: shown.cursor !== null,
    loadingMore,
    more,
    reload: load,
    replace: (changed) => changeItems((before) => before.map((video) => (video.id === changed.id ? changed : video))),
    remove: (id) => changeItems((before) => before.filter((video) => video.id !== id)),
  };
};
