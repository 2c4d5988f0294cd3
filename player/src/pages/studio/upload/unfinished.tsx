/** What was begun and not finished, here or on another machine: the same file chosen again goes on. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../../api/endpoints.ts';
import { bytesText, percentText, spanText } from '../../../lib/format.ts';
import { Button } from '../../../parts/button.tsx';
import { Notice } from '../../../parts/field.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { Failed, problemText } from '../../../parts/states.tsx';
import { useFootingWhenGone } from '../../../parts/title.tsx';
import { toast } from '../../../parts/toasts.tsx';
import { useSending } from '../../../state/use-form.ts';
import { useEvery, useLoaded } from '../../../state/use.ts';
import type { Unfinished } from '../../../upload/index.ts';
import { language, t } from '../../../words/index.ts';
import { useVideosNow } from '../../video-now.ts';
import { ConfirmCancel } from './cancel.tsx';
import { FileButton } from './drop.tsx';
import { queue, useQueue } from './queue.ts';

export const UnfinishedUploads = ({ onFiles }: { onFiles: (files: readonly File[]) => void }) => {
  const list = useLoaded('unfinished', () => queue.unfinished());
  // A file that was dropped may have been one of these.
  const here = useQueue()
    .map(({ video }) => video)
    .filter((video) => video !== null);
  useEffect(list.reload, [here.join(' ')]);
  const waiting = list.now.is === 'here' ? list.now.value.filter(({ video }) => !here.includes(video)) : [];
  // Another machine may be sending it, and then it is no longer for this one to do.
  const heard = useVideosNow(waiting.map(({ video }) => video));
  useEvery(20_000, list.reload);
  if (list.now.is === 'failed') return <Failed problem={list.now.problem} onRetry={list.reload} />;
  const items = waiting
    .filter(({ video }) => heard.get(video)?.upload !== null)
    .map((item) => ({ ...item, received: heard.get(item.video)?.upload?.received ?? item.received }));
  if (items.length === 0) return null;
  return (
    <section class="card" aria-labelledby="unfinished">
      <header>
        <h2 id="unfinished">{t('unfinished.title')}</h2>
        <p class="small soft">{t('unfinished.text')}</p>
      </header>
      <ul class="unfinished">
        {items.map((item) => (
          <Row key={item.video} item={item} onFiles={onFiles} onGone={list.reload} />
        ))}
      </ul>
    </section>
  );
};

type RowProps = { item: Unfinished; onFiles: (files: readonly File[]) => void; onGone: () => void };

const Row = ({ item, onFiles, onGone }: RowProps) => {
  const [other, setOther] = useState(false);
  const [asking, setAsking] = useState(false);
  const sending = useSending();
  useFootingWhenGone();
  const tongue = language.get();
  const name = item.title || item.filename;
  const size = bytesText(tongue, item.size);
  const share = item.size > 0 ? item.received / item.size : 0;
  const received = t('unfinished.received', { percent: percentText(tongue, share), size });
  const left = item.expiresAt === null ? null : (item.expiresAt - Date.now()) / 1000;
  const kept = left !== null && left > 0 ? t('unfinished.kept', { time: spanText(tongue, left) }) : null;
  const take = (files: readonly File[]): void => {
    // The name may have changed on the way to another machine. The size has not; what it is, the bytes will tell.
    const fits = files.filter((file) => file.size === item.size);
    setOther(fits.length === 0);
    if (fits.length > 0) onFiles(fits.slice(0, 1));
  };
  const remove = (): void =>
    sending.run(async () => {
      try {
        await api.deleteVideo(item.video);
        onGone();
        toast(t('upload.cancelled'));
      } finally {
        setAsking(false);
      }
    });
  return (
    <li>
      <div>
        <h3>{name}</h3>
        <p class="small soft">{[item.filename, received, kept].filter((text) => text !== null && text !== name).join(' · ')}</p>
      </div>
      <Progress label={t('upload.progress', { name })} share={share} words={received} still />
      <div class="row">
        <FileButton slim name={t('unfinished.chooseNamed', { name })} onFiles={take}>
          {t('unfinished.choose')}
        </FileButton>
        <Button slim aria-label={t('unfinished.removeNamed', { name })} onPress={() => setAsking(true)}>
          {t('unfinished.remove')}
        </Button>
      </div>
      {other && <Notice>{t('unfinished.other', { name: item.filename, size })}</Notice>}
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
      {asking && <ConfirmCancel name={name} busy={sending.busy} onYes={remove} onNo={() => setAsking(false)} />}
    </li>
  );
};
