/** What a video looks like before it plays: one of the pictures that were taken out of it, or one of its owner's. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, onThisHost } from '../../api/endpoints.ts';
import type { Pictures, Video } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Notice } from '../../parts/field.tsx';
import { Icon } from '../../parts/icons.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { usePictures } from '../../parts/use-pictures.ts';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';

const taken = ['image/jpeg', 'image/png', 'image/webp'];
/** The server takes no more. */
const largest = 10_000_000;

type Props = { video: Video; onChanged: (video: Video) => void };
type Chosen = Pictures['chosen'];

export const PostersCard = ({ video, onChanged }: Props) => {
  const { pictures, failed } = usePictures(video.id, video.pictures ?? null);
  const sending = useSending();
  const [fault, setFault] = useState<string | null>(null);
  /** What was asked for, while the server has not answered: a choice that springs back would be made again. */
  const [wish, setWish] = useState<Chosen>(null);
  const picker = useRef<HTMLInputElement>(null);
  const chosen = wish ?? pictures?.chosen ?? null;
  /** A picture of its owner comes or goes: a choice made before that is over would take it away. */
  const [putting, setPutting] = useState(false);
  /** Chosen while another choice is on its way: in a row of radio buttons each press of an arrow is one. */
  const next = useRef<number | null>(null);
  useEffect(() => {
    if (!sending.busy) setWish(null);
  }, [pictures?.chosen]);
  const taking = (): number | null => {
    const poster = next.current;
    next.current = null;
    return poster;
  };
  const run = (action: () => Promise<Video>, words: string): void => {
    setFault(null);
    sending.run(async () => {
      try {
        onChanged(await action());
        for (let poster = taking(); poster !== null; poster = taking()) onChanged(await api.changeVideo(video.id, { poster }));
        toast(words);
      } finally {
        next.current = null;
        setWish(null);
        setPutting(false);
      }
    });
  };
  const choose = (poster: number): void => {
    setWish(poster);
    if (sending.busy) next.current = poster;
    else run(() => api.changeVideo(video.id, { poster }), t('posters.chosen'));
  };
  const change = (action: () => Promise<Video>, words: string): void => {
    if (sending.busy) return;
    setPutting(true);
    run(action, words);
  };
  const send = (file: File): void => {
    if (!taken.includes(file.type)) return setFault(t('posters.wrongType'));
    if (file.size > largest) return setFault(t('posters.tooLarge'));
    if (file.size === 0) return setFault(t('posters.empty'));
    change(() => api.putPoster(video.id, file), t('posters.sent'));
  };
  const remove = (): void => change(() => api.deletePoster(video.id), t('posters.removed'));
  const own = pictures?.chosen === 'own' ? pictures.poster : null;
  const some = own !== null || (pictures?.posters.length ?? 0) > 0;
  return (
    <section class="card" aria-labelledby="posters">
      <header>
        <h2 id="posters">{t('posters.title')}</h2>
        <p class="small soft">{t(some ? 'posters.text' : 'posters.none')}</p>
      </header>
      {(fault ?? sending.problem) && <Notice>{fault ?? (sending.problem && problemText(sending.problem))}</Notice>}
      {some && (
        <fieldset class="posters" aria-labelledby="posters" disabled={putting}>
          {pictures?.posters.map((address, index) => (
            <Choice key={index} name={`${video.id} poster`} label={t('posters.nth', { number: index + 1 })} address={address} on={chosen === index} onChoose={() => choose(index)} onFailed={failed} />
          ))}
          {own !== null && <Choice name={`${video.id} poster`} label={t('posters.own')} address={own} on={chosen === 'own'} onChoose={() => {}} onFailed={failed} />}
        </fieldset>
      )}
      <div class="form-foot">
        <Button busy={sending.busy} onPress={() => picker.current?.click()}>
          <Icon name="upload" />
          {t(own === null ? 'posters.send' : 'posters.sendOther')}
        </Button>
        {own !== null && (
          <Button busy={sending.busy} onPress={remove}>
            {t('posters.remove')}
          </Button>
        )}
        <input
          ref={picker}
          class="off-screen"
          type="file"
          accept={taken.join(',')}
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            event.currentTarget.value = '';
            if (file) send(file);
          }}
        />
      </div>
      <p class="small soft">{t('posters.form')}</p>
    </section>
  );
};

type ChoiceProps = { name: string; label: string; address: string; on: boolean; onChoose: () => void; onFailed: (address: string) => void };

const Choice = ({ name, label, address, on, onChoose, onFailed }: ChoiceProps) => (
  <label class="poster-choice">
    <input type="radio" name={name} checked={on} aria-label={label} onChange={onChoose} />
    <img src={onThisHost(address)} alt="" loading="lazy" decoding="async" onError={() => onFailed(address)} />
    <span class="tick" aria-hidden="true">
      <Icon name="check" />
    </span>
  </label>
);
