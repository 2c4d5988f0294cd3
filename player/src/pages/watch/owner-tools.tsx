/** What the owner of a recording does with it, beside the picture: trim it, add captions, allow downloads, read how it came in. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Video } from '../../api/types.ts';
import { typedTime } from '../../lib/time-param.ts';
import { Button } from '../../parts/button.tsx';
import { Notice, SwitchField } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import type { Playback } from '../../playback/index.ts';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { LinksCard } from '../links.tsx';
import { ReportCard } from '../studio/health/report-card.tsx';
import { CaptionFiles } from './caption-files.tsx';
import { ChaptersCard } from './chapters-card.tsx';
import { PieceFields, usePiece } from './piece-fields.tsx';
import { PostersCard } from './posters-card.tsx';
import { TasksCard } from './tasks-card.tsx';

type OwnerToolsProps = {
  video: Video;
  player: RefObject<Playback | null>;
  onChanged: (video: Video) => void;
  /** What is offered to viewers beside the picture has changed. */
  onListed: () => void;
  /** What is made behind it has come further: the record says what it has now. */
  onMade: () => void;
  /** What is played has changed: another beginning or end, other captions. */
  onCut: () => void;
};

export const OwnerTools = (props: OwnerToolsProps) => (
  <section class="section" aria-labelledby="owner-tools">
    <div>
      <h2 id="owner-tools">{t('owner.title')}</h2>
      <p class="small soft">{t('owner.text')}</p>
    </div>
    <div class="room">
      <div>
        {props.video.pictures !== undefined && <PostersCard video={props.video} onChanged={props.onChanged} />}
        {props.video.trim !== undefined && <TrimCard key={JSON.stringify(props.video.trim)} {...props} />}
        {props.video.chapters !== undefined && <ChaptersCard video={props.video} onChanged={props.onChanged} />}
        <CaptionFiles video={props.video.id} onChanged={props.onCut} />
      </div>
      <div>
        <TasksCard video={props.video.id} onDone={props.onMade} />
        {props.video.visibility === 'private' && <LinksCard to={{ kind: 'video', id: props.video.id }} />}
        {props.video.downloads !== undefined && <DownloadsCard {...props} />}
        {props.video.source === 'live' && <ReportCard video={props.video.id} />}
      </div>
    </div>
  </section>
);

/** Shows the piece before it is one: plays from its beginning and stops at its end. */
const usePreview = (player: RefObject<Playback | null>): ((from: number, to: number) => void) => {
  const stop = useRef<() => void>(() => {});
  useEffect(() => () => stop.current(), []);
  return (from, to) => {
    stop.current();
    player.current?.seek(from);
    player.current?.play();
    const timer = setInterval(() => {
      if ((player.current?.moment()?.at ?? Infinity) < to) return;
      player.current?.pause();
      stop.current();
    }, 50);
    stop.current = () => clearInterval(timer);
  };
};

const TrimCard = ({ video, player, onChanged, onCut }: OwnerToolsProps) => {
  const trim = video.trim ?? null;
  const form = usePiece(trim ?? { in: null, out: null });
  const preview = usePreview(player);
  const sending = useSending();
  // Times are those of the whole recording, also while only a piece of it is listed.
  const now = (): number | null => player.current?.showTime() ?? null;
  const origin = (): number => (now() ?? 0) - (player.current?.moment()?.at ?? 0);
  const change = (next: Video['trim'], words: string): void =>
    sending.run(async () => {
      onChanged(await api.changeVideo(video.id, { trim: next ?? null }));
      onCut();
      toast(words);
    });
  const { piece } = form;
  const empty = piece !== null && piece.in === null && piece.out === null;
  return (
    <section class="card" aria-labelledby="trim">
      <header>
        <h2 id="trim">{t('trim.title')}</h2>
        <p class="small soft">{t('trim.text')}</p>
      </header>
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
      {trim && (
        <p class="row">
          <span>
            {t('trim.now', { from: typedTime(trim.in ?? 0), to: trim.out === null ? t('trim.end') : typedTime(trim.out) })}
          </span>
          <Button slim busy={sending.busy} onPress={() => change(null, t('trim.undone'))}>
            {t('trim.undo')}
          </Button>
        </p>
      )}
      <PieceFields form={form} now={now} />
      <div class="form-foot">
        <Button
          look="primary"
          busy={sending.busy || piece === null}
          onPress={() => (empty ? toast(t('trim.nothing')) : piece && change(piece, t('trim.saved')))}
        >
          {sending.busy ? t('room.saving') : t('trim.save')}
        </Button>
        <Button
          busy={piece === null}
          onPress={() => piece && preview((piece.in ?? 0) - origin(), (piece.out ?? Infinity) - origin())}
        >
          {t('trim.preview')}
        </Button>
      </div>
    </section>
  );
};

const DownloadsCard = ({ video, onChanged, onListed }: OwnerToolsProps) => {
  const sending = useSending();
  /** What was asked for, while the server has not answered: a switch that springs back would be pressed again. */
  const [wish, setWish] = useState<boolean | null>(null);
  const change = (downloads: boolean): void => {
    setWish(downloads);
    sending.run(async () => {
      try {
        onChanged(await api.changeVideo(video.id, { downloads }));
        onListed();
        toast(t('room.saved'));
      } finally {
        setWish(null);
      }
    });
  };
  return (
    <section class="card" aria-label={t('download.do')}>
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
      <SwitchField
        label={t('downloads.allow')}
        hint={t('downloads.hint')}
        name="downloads"
        on={wish ?? video.downloads ?? false}
        onChange={change}
      />
    </section>
  );
};
