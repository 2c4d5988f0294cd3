/**
 * The time bar of live shows and of recordings: what can be seeked to, what is here already, where the picture is.
 * A press or a drag shows the time it would lead to, and goes there when it is let go.
 */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Moment, Playback } from '../playback/index.ts';
import { language, t } from '../words/index.ts';
import { barKey, clockText, shareOf, spokenLength, timeAt, timeText } from './time-labels.ts';
import { useMoment } from './use-moment.ts';

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;

const spoken = (moment: Moment): string => {
  const tongue = language.get();
  if (!moment.live) {
    const { from, to } = moment.window;
    const [time, length] = [spokenLength(tongue, moment.at - from), spokenLength(tongue, to - from)];
    return t('player.bar.at', { time, length });
  }
  return moment.edge ? t('player.atLive') : t('player.bar.behind', { time: spokenLength(tongue, moment.behind) });
};

export const TimeBar = ({ playback }: { playback: RefObject<Playback | null> }) => {
  const moment = useMoment(playback);
  const bar = useRef<HTMLDivElement>(null);
  /** Where the pointer is, and whether it holds the thumb. */
  const [pointed, setPointed] = useState<{ share: number; held: boolean } | null>(null);
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
      aria-valuetext={spoken(moment)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setPointed({ share: shareUnder(event), held: true });
      }}
      onPointerMove={(event) => setPointed({ share: shareUnder(event), held: pointed?.held ?? false })}
      onPointerUp={letGo}
      onPointerCancel={() => setPointed(null)}
      onPointerLeave={() => setPointed((now) => (now?.held ? now : null))}
    >
      <div class="track">
        <div class="loaded" style={{ width: percent(shareOf(moment, moment.bufferedUntil)) }} />
        <div class="played" style={{ width: percent(shareOf(moment, shownAt)) }} />
      </div>
      <div class="thumb" style={{ insetInlineStart: percent(shareOf(moment, shownAt)) }} />
      {moment.live && (
        <span class="length" aria-hidden="true">
          {timeText(moment, from)}
        </span>
      )}
      {pointed && <PointedTime moment={moment} share={pointed.share} playback={playback.current} />}
    </div>
  );
};

const PointedTime = ({ moment, share, playback }: { moment: Moment; share: number; playback: Playback | null }) => {
  const time = timeAt(moment, share);
  // The dates of a recording are those of its media: only a show that is on has a clock on the wall.
  const date = moment.live ? (playback?.dateAt(time) ?? null) : null;
  return (
    <div class="pointed" aria-hidden="true" style={{ insetInlineStart: `clamp(2.5rem, ${percent(share)}, 100% - 2.5rem)` }}>
      {timeText(moment, time)}
      {date !== null && <small>{clockText(language.get(), date)}</small>}
    </div>
  );
};
