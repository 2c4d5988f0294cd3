/** A link to the video: from its beginning, from the moment that is shown, or to a piece of it. */
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { askedTimes, timesQuery, typedTime } from '../../lib/time-param.ts';
import { Button } from '../../parts/button.tsx';
import { CopyField } from '../../parts/copy-field.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import type { Playback } from '../../playback/index.ts';
import { paths } from '../../routes.ts';
import { t } from '../../words/index.ts';
import { PieceFields, usePiece } from './piece-fields.tsx';

type Props = {
  id: string;
  player: RefObject<Playback | null>;
  live: boolean;
  /** A piece of it is played, and no more. */
  alone: boolean;
  /** Where the recording begins for viewers, in its own time. */
  begins: number;
};

export const ShareButton = (props: Props) => {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onPress={() => setOpen(true)}>
        <Icon name="link" />
        {t('share.do')}
      </Button>
      {open && <ShareDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
};

type Kind = 'whole' | 'from' | 'piece';

const ShareDialog = ({ id, player, live, alone, begins, onClose }: Props & { onClose: () => void }) => {
  // In the time of the show, which is that of its recording, whatever part of it is listed.
  const now = (): number | null => player.current?.showTime() ?? null;
  const [{ shown, at }] = useState(() => {
    const time = now();
    // `?t=` counts from where the video begins for viewers. Only its owner is told how much was trimmed away before that;
    // the bar of a whole recording begins there for everybody.
    const moment = live || alone ? null : player.current?.moment();
    // Before the first picture: where the address of this page leads to.
    const asked = alone ? 0 : (askedTimes(location.search).start ?? 0);
    const at = moment ? moment.at - moment.window.from : time === null ? asked : time - begins;
    return { shown: Math.max(0, Math.floor(time ?? begins + at)), at: Math.max(0, Math.floor(at)) };
  });
  const [kind, setKind] = useState<Kind>(at >= 1 ? 'from' : 'whole');
  const form = usePiece({ in: shown, out: null });
  // A piece of a show that is still going on has no end that could be served.
  const kinds: readonly Kind[] = live ? ['whole', 'from'] : ['whole', 'from', 'piece'];
  const query = kind === 'from' ? timesQuery({ start: at }) : kind === 'piece' && form.piece ? timesQuery(form.piece) : '';
  return (
    <Dialog title={t('share.title')} onClose={onClose}>
      <fieldset class="options">
        <legend class="label">{t('share.what')}</legend>
        {kinds.map((one) => (
          <label key={one}>
            <input type="radio" name="share" checked={kind === one} onChange={() => setKind(one)} />
            <span>
              {t(`share.${one}`)}
              {one === 'from' && <span class="soft"> · {typedTime(at)}</span>}
            </span>
          </label>
        ))}
      </fieldset>
      {kind === 'piece' && (
        <>
          <PieceFields form={form} now={now} />
          <p class="small soft">{t('share.piece.hint')}</p>
        </>
      )}
      <CopyField label={t('share.link')} name="link" value={`${location.origin}${paths.watch(id)}${query}`} />
      <div class="dialog-foot">
        <Button onPress={onClose}>{t('frame.close')}</Button>
      </div>
    </Dialog>
  );
};
