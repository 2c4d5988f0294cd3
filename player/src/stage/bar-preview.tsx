/** What lies where one points at the bar, or where the focused thumb stands: a small picture, the time, the chapter. */
import type { Chapter } from '../api/types.ts';
import { chapterAt } from '../lib/chapters.ts';
import type { Cell } from '../lib/storyboard.ts';
import type { Moment, Playback } from '../playback/index.ts';
import { language } from '../words/index.ts';
import { clockText, timeText } from './time-labels.ts';

type Props = {
  moment: Moment;
  /** On the clock of the media element. */
  time: number;
  /** How far along the bar that is, as CSS has it. */
  place: string;
  playback: Playback | null;
  cell: Cell | null;
  onFailed: () => void;
  chapters: readonly Chapter[];
  /** Seconds of the video at the beginning of the clock. */
  origin: number;
};

/** In pixels: the stage of a phone is not much higher, and a film may stand upright. */
const mostHeight = 112;
const scaleOf = ({ height }: Cell): number => Math.min(1, mostHeight / height);

const Picture = ({ cell, onFailed }: { cell: Cell; onFailed: () => void }) => {
  const scale = scaleOf(cell);
  return (
    <div class="cell" data-cell={`${cell.x},${cell.y}`} style={{ width: `${cell.width * scale}px`, height: `${cell.height * scale}px` }}>
      {/* The whole image, moved so that the piece shows. Loaded once, it serves all of its pieces. Another image is
          another element: this one would go on to show the last until that is here, and a piece of it that was never at this time. */}
      <img key={cell.image} src={cell.image} alt="" draggable={false} style={{ transform: `scale(${scale}) translate(${-cell.x}px, ${-cell.y}px)` }} onError={onFailed} />
    </div>
  );
};

export const BarPreview = ({ moment, time, place, playback, cell, onFailed, chapters, origin }: Props) => {
  // The dates of a recording are those of its media: only a show that is on has a clock on the wall.
  const date = moment.live ? (playback?.dateAt(time) ?? null) : null;
  const chapter = chapters[chapterAt(chapters, time + origin)];
  const half = cell ? `${(cell.width * scaleOf(cell)) / 2 + 4}px` : '2.5rem';
  return (
    <div class={`pointed ${cell ? 'pictured' : ''} ${chapter ? 'named' : ''}`} aria-hidden="true" style={{ insetInlineStart: place, '--half': half }}>
      {cell && <Picture cell={cell} onFailed={onFailed} />}
      <div class="said">
        {chapter && <span class="chapter">{chapter.title}</span>}
        <span>{timeText(moment, time)}</span>
        {date !== null && <small>{clockText(language.get(), date)}</small>}
      </div>
    </div>
  );
};
