/** The other way in: the server fetches a file from an address. It goes on without this page. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../../api/endpoints.ts';
import { ApiProblem } from '../../../api/problem.ts';
import type { Video } from '../../../api/types.ts';
import { Button } from '../../../parts/button.tsx';
import { Notice, TextField } from '../../../parts/field.tsx';
import { problemText } from '../../../parts/states.tsx';
import { useFootingWhenGone } from '../../../parts/title.tsx';
import { toast } from '../../../parts/toasts.tsx';
import { troubleText, VideoBadge, WorkBar } from '../../../parts/video-state.tsx';
import { createStore } from '../../../state/store.ts';
import { useSending } from '../../../state/use-form.ts';
import { useLoaded, useStore } from '../../../state/use.ts';
import type { PlainKey } from '../../../words/fill.ts';
import { t } from '../../../words/index.ts';
import { isUnderWay, useVideosNow, withNow } from '../../video-now.ts';
import { EditVideo } from '../edit-video.tsx';
import { ConfirmCancel } from './cancel.tsx';
import { playsAs, WatchLink } from './watch-link.tsx';

type Begun = { readonly video: Video; readonly url: string; readonly ladder: string | null };

/** Those that were begun in this tab stay on the page when they are done, until they are taken off the list. */
const begun = createStore<readonly Begun[]>([]);
const takeOff = (id: string): void => begun.set(begun.get().filter(({ video }) => video.id !== id));
/** With what has been changed of it meanwhile, or another try in its place. */
const replace = (id: string, next: Video): void =>
  begun.set(begun.get().map((one) => (one.video.id === id ? { ...one, video: next } : one)));

/** What is wrong with what was typed; null: it can be asked for. */
const faultOf = (text: string): PlainKey | null => {
  if (!/^https?:\/\/[^\s/]+/i.test(text) || !URL.canParse(text)) return 'import.url.wrong';
  const { username, password } = new URL(text);
  return username === '' && password === '' ? null : 'import.url.secret';
};

/** `ladder`: the smaller sizes that were chosen; null: nobody chose. */
export const ImportCard = ({ ladder, onChanged }: { ladder: string | null; onChanged: () => void }) => {
  const [url, setUrl] = useState('');
  const [tried, setTried] = useState(false);
  const sending = useSending();
  const fault = faultOf(url.trim());
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (fault) return;
    sending.run(async () => {
      const video = await api.importVideo(url.trim(), ladder);
      begun.set([{ video, url: url.trim(), ladder }, ...begun.get()]);
      setUrl('');
      setTried(false);
      toast(t('import.started'));
      onChanged();
    });
  };
  return (
    <section class="card" aria-labelledby="import">
      <header>
        <h2 id="import">{t('import.title')}</h2>
        <p class="small soft">{t('import.text')}</p>
      </header>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        <TextField
          label={t('import.url')}
          name="url"
          value={url}
          onValue={setUrl}
          hint={t('import.url.hint')}
          fault={tried && fault ? t(fault) : null}
          maxLength={2000}
          plain
        />
        <div class="form-foot">
          <Button submit busy={sending.busy}>
            {sending.busy ? t('import.doing') : t('import.do')}
          </Button>
        </div>
      </form>
    </section>
  );
};

/** Those of this tab, and those that are still being fetched, begun wherever. */
export const Imports = () => {
  const own = useStore(begun);
  const fetched = useLoaded('imports', async () => {
    const { items } = await api.myVideos('uploading');
    return items.filter(({ source }) => source === 'import');
  });
  const others = fetched.now.is === 'here' ? fetched.now.value : [];
  const all = [...own.map(({ video }) => video), ...others.filter(({ id }) => !own.some(({ video }) => video.id === id))];
  const heard = useVideosNow(all.map(({ id }) => id));
  const shown = all.map((video) => withNow(video, heard.get(video.id)));
  if (shown.length === 0) return null;
  return (
    <section class="section" aria-labelledby="imports">
      <h2 id="imports">{t('import.list')}</h2>
      <ul class="uploads">
        {shown.map((video) => (
          <ImportRow key={video.id} video={video} from={own.find((one) => one.video.id === video.id) ?? null} onGone={fetched.reload} />
        ))}
      </ul>
    </section>
  );
};

type RowProps = {
  video: Video;
  /** Null: it was begun elsewhere, and only the server knows from where it comes. */
  from: Begun | null;
  onGone: () => void;
};

const ImportRow = ({ video, from, onGone }: RowProps) => {
  const [open, setOpen] = useState<'cancel' | 'edit' | null>(null);
  const [busy, setBusy] = useState(false);
  useFootingWhenGone();
  const name = video.title;
  const trouble = troubleText(video);
  const over = !isUnderWay(video);
  const plays = video.state === 'playable' || video.state === 'ready';
  useEffect(() => {
    // Fetched for somebody who is not looking at this tab any more: told when he comes back to it.
    if (video.state === 'ready') toast(t('upload.ready'));
  }, [video.state]);
  const cancel = async (): Promise<void> => {
    setBusy(true);
    try {
      await api.deleteVideo(video.id);
      takeOff(video.id);
      onGone();
      toast(t('upload.cancelled'));
    } catch (error) {
      toast(problemText(ApiProblem.from(error)));
    } finally {
      setBusy(false);
      setOpen(null);
    }
  };
  const again = async ({ url, ladder }: Begun): Promise<void> => {
    setBusy(true);
    try {
      replace(video.id, await api.importVideo(url, ladder));
      // The one that failed is of no use to anybody any more.
      await api.deleteVideo(video.id);
    } catch (error) {
      toast(problemText(ApiProblem.from(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <li class="card upload">
      <header class="upload-head">
        <h3>{name}</h3>
        <VideoBadge now={video} />
        <div class="row upload-actions">
          {video.state === 'failed' && from !== null && (
            <Button slim look="primary" busy={busy} aria-label={t('upload.retryNamed', { name })} onPress={() => void again(from)}>
              {t('upload.retry')}
            </Button>
          )}
          {video.state !== 'failed' && (
            <Button slim aria-label={t('videos.editNamed', { name })} onPress={() => setOpen('edit')}>
              {t('videos.edit')}
            </Button>
          )}
          {over ? (
            <Button slim aria-label={t('upload.dismissNamed', { name })} onPress={() => takeOff(video.id)}>
              {t('upload.dismiss')}
            </Button>
          ) : (
            <Button slim aria-label={t('upload.cancelNamed', { name })} onPress={() => setOpen('cancel')}>
              {t('upload.cancel')}
            </Button>
          )}
        </div>
      </header>
      <WorkBar now={video} label={t('upload.progress', { name })} />
      {trouble !== null && <p class="notice">{trouble}</p>}
      {plays && <WatchLink video={video.id} name={name} plays={playsAs(video)} closed={video.visibility === 'private'} />}
      {open === 'edit' && <EditVideo video={video} onClose={() => setOpen(null)} onChanged={(changed) => (from === null ? onGone() : replace(video.id, changed))} />}
      {open === 'cancel' && <ConfirmCancel name={name} busy={busy} onYes={() => void cancel()} onNo={() => setOpen(null)} />}
    </li>
  );
};
