/** The chapters below the picture: where each begins, which one is on, and a link to each that can be handed on. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { askedGrant } from '../../api/head-start.ts';
import type { Chapter } from '../../api/types.ts';
import { chapterAt } from '../../lib/chapters.ts';
import { clock } from '../../lib/format.ts';
import { withGrant } from '../../lib/link-grant.ts';
import { timesQuery } from '../../lib/time-param.ts';
import type { Playback } from '../../playback/index.ts';
import { paths } from '../../routes.ts';
import { language, t } from '../../words/index.ts';
import { spokenLength } from '../../stage/time-labels.ts';

/** -1: none, or nothing plays yet. */
const useCurrent = (player: RefObject<Playback | null>, chapters: readonly Chapter[], cut: number): number => {
  const [current, setCurrent] = useState(-1);
  useEffect(() => {
    const look = (): void => {
      const time = player.current?.showTime() ?? null;
      if (!document.hidden) setCurrent(time === null ? -1 : chapterAt(chapters, time - cut));
    };
    look();
    const timer = setInterval(look, 250);
    return () => clearInterval(timer);
  }, [chapters, cut]);
  return current;
};

type Props = {
  id: string;
  chapters: readonly Chapter[];
  /** Seconds that its owner has cut away in front: chapters count from behind them. */
  cut: number;
  player: RefObject<Playback | null>;
};

export const ChapterList = ({ id, chapters, cut, player }: Props) => {
  const current = useCurrent(player, chapters, cut);
  const go = (event: MouseEvent, { start }: Chapter): void => {
    const playback = player.current;
    const moment = playback?.moment();
    // With a modifier the browser opens a tab; without a picture the link leads to one.
    if (!playback || !moment || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    playback.seek(start + cut - ((playback.showTime() ?? moment.at) - moment.at));
  };
  if (chapters.length === 0) return null;
  return (
    <nav class="chapters" aria-labelledby="chapters">
      <h2 id="chapters">{t('chapters.title')}</h2>
      <ol>
        {chapters.map((chapter, at) => (
          <li key={chapter.start}>
            <a
              href={withGrant(`${paths.watch(id)}${timesQuery({ start: Math.ceil(chapter.start + cut) })}`, askedGrant())}
              aria-current={at === current ? 'true' : undefined}
              aria-label={t('chapters.go', { time: spokenLength(language.get(), chapter.start), title: chapter.title })}
              onClick={(event) => go(event, chapter)}
            >
              <span class="time">{clock(chapter.start)}</span>
              <span>{chapter.title}</span>
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
};
