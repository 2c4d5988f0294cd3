/**
 * The time bar of live shows and of recordings: what can be seeked to, what is here already, where the picture is.
 * A press or a drag shows the time it would lead to, and goes there when it is let go.
 */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Chapter } from '../api/types.ts';
import { chapterAt } from '../lib/chapters.ts';
import type { Moment, Playback } from '../playback/index.ts';
import { language, t } from '../words/index.ts';
import { BarPreview } from './bar-preview.tsx';
import { barKey, shareOf, spokenLength, timeAt, timeText } from './time-labels.ts';
import { useMoment } from './use-moment.ts';
import { useStoryboard } from './use-storyboard.ts';

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;

const spoken = (moment: Moment, chapter: Chapter | undefined): string => {
  const tongue = language.get();
  if (!moment.live) {
    const { from, to } = moment.window;
    const [time, length] = [spokenLength(tongue, moment.at - from), spokenLength(tongue, to - from)];
    const at = t('player.bar.at', { time, length });
    return chapter ? `${at}, ${chapter.title}` : at;
  }
  return moment.edge ? t('player.atLive') : t('player.bar.behind', { time: spokenLength(tongue, moment.behind) });
};

type Props = {
  playback: RefObject<Playback | null>;
  storyboard: string | null;
  onStoryboardFailed: ((address: string) => void) | undefined;
  chapters: readonly Chapter[];
  /** Seconds that are cut away in front of the video: pictures and chapters count from behind them. */
  cut: number;
};

export const TimeBar = ({ playback, storyboard, onStoryboardFailed, chapters, cut }: Props) => {
  const moment = useMoment(playback);
  const bar = useRef<HTMLDivElement>(null);
  /** Where the pointer is, and whether it holds the thumb. */
  const [pointed, setPointed] = useState<{ share: number; held: boolean } | null>(null);
  /** Reached by keyboard: what lies at the thumb is shown as it is to a pointer. */
  const [focused, setFocused] = useState(false);
  const board = useStoryboard(storyboard, onStoryboardFailed);
  const latest = useRef(moment);
  latest.current = moment;
  useEffect(() => {
    // Taken off by a key press that a focused bar has used: the page's own keys look at the same event.
    const { current } = bar;
    const onKey = (event: KeyboardEvent): void => {
      if (!latest.current || event.ctrlKey || event.metaKey || event.altKey) return;
      const time = barKey(latest.current, event.key);
      if (time === null) return;
      event.preventDefault();
      if (event.key === 'End' && latest.current.live) playback.current?.goLive();
      else if (event.key === 'Home') playback.current?.startOver();
      else playback.current?.seek(time);
    };
    current?.addEventListener('keydown', onKey);
    return () => current?.removeEventListener('keydown', onKey);
  }, [moment === null]);
  if (!moment) return <div class="time-bar" aria-hidden="true" />;

  const shareUnder = (event: PointerEvent): number => {
    const box = bar.current?.getBoundingClientRect();
    return box && box.width > 0 ? Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) : 0;
  };
  const letGo = (event: PointerEvent): void => {
    if (!pointed?.held) return;
    const share = shareUnder(event);
    // The last pixels of a live bar mean live: nobody can hit the edge itself.
    if (moment.live && share > 0.985) playback.current?.goLive();
    else playback.current?.seek(timeAt(moment, share));
    setPointed(event.pointerType === 'mouse' ? { share, held: false } : null);
  };
  const shownAt = pointed?.held ? timeAt(moment, pointed.share) : moment.edge ? moment.window.to : moment.at;
  const { from, to } = moment.window;
  // Of a piece of a video the clock begins at 0 all the same.
  const origin = (playback.current?.showTime() ?? moment.at + cut) - moment.at - cut;
  const marks = chapters.map(({ start }) => start - origin).filter((start) => start > from + 0.5 && start < to - 0.5);
  const looked = pointed ? timeAt(moment, pointed.share) : focused && !moment.live ? moment.at : null;
  return (
    <div
      ref={bar}
      class={`time-bar ${moment.live ? 'live' : ''} ${pointed?.held ? 'held' : ''}`}
      role="slider"
      tabIndex={0}
      aria-label={moment.live ? t('player.bar.live') : t('player.bar')}
      aria-valuemin={0}
      aria-valuemax={Math.round(to - from)}
      aria-valuenow={Math.round(shownAt - from)}
      aria-valuetext={spoken(moment, chapters[chapterAt(chapters, moment.at + origin)])}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        board.want();
        setPointed({ share: shareUnder(event), held: true });
      }}
      onPointerMove={(event) => {
        board.want();
        setPointed({ share: shareUnder(event), held: pointed?.held ?? false });
      }}
      onPointerUp={letGo}
      onPointerCancel={() => setPointed(null)}
      onPointerLeave={() => setPointed((now) => (now?.held ? now : null))}
      onFocus={(event) => {
        if (!event.currentTarget.matches(':focus-visible')) return;
        board.want();
        setFocused(true);
      }}
      onBlur={() => setFocused(false)}
    >
      <div class="track">
        <div class="loaded" style={{ width: percent(shareOf(moment, moment.bufferedUntil)) }} />
        <div class="played" style={{ width: percent(shareOf(moment, shownAt)) }} />
        {marks.map((start) => (
          <div key={start} class="mark" style={{ insetInlineStart: percent(shareOf(moment, start)) }} />
        ))}
      </div>
      <div class="thumb" style={{ insetInlineStart: percent(shareOf(moment, shownAt)) }} />
      {moment.live && (
        <span class="length" aria-hidden="true">
          {timeText(moment, from)}
        </span>
      )}
      {looked !== null && (
        <BarPreview
          moment={moment}
          time={looked}
          place={`clamp(var(--half), ${percent(shareOf(moment, looked))}, 100% - var(--half))`}
          playback={playback.current}
          cell={moment.live ? null : board.at(looked + origin)}
          onFailed={board.failed}
          chapters={moment.live ? [] : chapters}
          origin={origin}
        />
      )}
    </div>
  );
};
