/** The other way in: the server fetches a file from an address. It goes on without this page. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../../api/endpoints.ts';
import { ApiProblem } from '../../../api/problem.ts';
import type { Video } from '../../../api/types.ts';
import { Button } from '../../../parts/button.tsx';
import { Confirm } from '../../../parts/dialog.tsx';
import { Notice, TextField } from '../../../parts/field.tsx';
import { problemText } from '../../../parts/states.tsx';
import { useFootingWhenGone } from '../../../parts/title.tsx';
import { toast } from '../../../parts/toasts.tsx';
import { failureText, VideoBadge, WorkBar } from '../../../parts/video-state.tsx';
import { createStore } from '../../../state/store.ts';
import { useSending } from '../../../state/use-form.ts';
import { useLoaded, useStore } from '../../../state/use.ts';
import { t } from '../../../words/index.ts';
import { isUnderWay, useVideosNow, withNow } from '../../video-now.ts';
import { WatchLink } from './watch-link.tsx';

/** Those that were begun in this tab stay on the page when they are done, until they are taken off the list. */
const begun = createStore<readonly Video[]>([]);
const takeOff = (id: string): void => begun.set(begun.get().filter((video) => video.id !== id));

const isAddress = (text: string): boolean => /^https?:\/\/[^\s/]+/i.test(text) && URL.canParse(text);

export const ImportCard = ({ onChanged }: { onChanged: () => void }) => {
  const [url, setUrl] = useState('');
  const [tried, setTried] = useState(false);
  const sending = useSending();
  const wrong = !isAddress(url.trim());
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    sending.run(async () => {
      const video = await api.importVideo(url.trim());
      begun.set([video, ...begun.get()]);
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
          fault={tried && wrong ? t('import.url.wrong') : null}
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
  const all = [...own, ...others.filter((video) => !own.some(({ id }) => id === video.id))];
  const heard = useVideosNow(all.map(({ id }) => id));
  const shown = all.map((video) => withNow(video, heard.get(video.id)));
  if (shown.length === 0) return null;
  return (
    <section class="section" aria-labelledby="imports">
      <h2 id="imports">{t('import.list')}</h2>
      <ul class="uploads">
        {shown.map((video) => (
          <ImportRow key={video.id} video={video} onGone={fetched.reload} />
        ))}
      </ul>
    </section>
  );
};

const ImportRow = ({ video, onGone }: { video: Video; onGone: () => void }) => {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  useFootingWhenGone();
  const name = video.title;
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
      setAsking(false);
    }
  };
  return (
    <li class="card upload">
      <header class="upload-head">
        <h3>{name}</h3>
        <VideoBadge now={video} />
        <div class="row upload-actions">
          {over ? (
            <Button slim aria-label={t('upload.dismissNamed', { name })} onPress={() => takeOff(video.id)}>
              {t('upload.dismiss')}
            </Button>
          ) : (
            <Button slim aria-label={t('upload.cancelNamed', { name })} onPress={() => setAsking(true)}>
              {t('upload.cancel')}
            </Button>
          )}
        </div>
      </header>
      <WorkBar now={video} label={t('upload.progress', { name })} />
      {video.state === 'failed' && video.error && <p class="notice">{failureText(video.error, video.source)}</p>}
      {plays && <WatchLink video={video.id} name={name} whole={!video.upload} closed={video.visibility === 'private'} />}
      {asking && (
        <Confirm
          title={t('upload.cancel.title')}
          text={t('upload.cancel.text', { name })}
          yes={t('upload.cancel.do')}
          no={t('upload.cancel.keep')}
          busy={busy}
          onYes={() => void cancel()}
          onNo={() => setAsking(false)}
        />
      )}
    </li>
  );
};
