/** One file on its way: how far it is, what it is called, who may watch it, and what one can do about it. */
import { useState } from 'preact/hooks';
import { ApiProblem } from '../../../api/problem.ts';
import { bytesText } from '../../../lib/format.ts';
import { Button } from '../../../parts/button.tsx';
import { ChoiceField, SwitchField, TextArea, TextField } from '../../../parts/field.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { problemText } from '../../../parts/states.tsx';
import { useFootingWhenGone } from '../../../parts/title.tsx';
import { toast } from '../../../parts/toasts.tsx';
import { isRising, troubleText, WorkBar } from '../../../parts/video-state.tsx';
import { Link } from '../../../router.tsx';
import { paths } from '../../../routes.ts';
import type { UploadItem } from '../../../upload/index.ts';
import { language, t } from '../../../words/index.ts';
import { visibilityOptions } from '../choices.ts';
import { isAboutProtection, ProtectionField } from '../protection-field.tsx';
import { ConfirmCancel } from './cancel.tsx';
import { useDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { itemFacts, itemLook, itemNews, itemState, reasons, sentNow } from './item-words.ts';
import { queue } from './queue.ts';
import { playsAs, WatchLink } from './watch-link.tsx';

/** There is, or may still be, a video to describe. */
const useful = ({ state, now }: UploadItem): boolean =>
  state.is !== 'cancelled' && now?.state !== 'failed' && (state.is !== 'failed' || state.again);

export const UploadCard = ({ item }: { item: UploadItem }) => {
  useFootingWhenGone();
  const draft = useDraft(item);
  const { state, now, video } = item;
  const sent = sentNow(item);
  const trouble = now && troubleText(now);
  const name = draft.values.title.trim() || item.filename;
  const arriving = state.is !== 'done' && state.is !== 'failed' && state.is !== 'cancelled';
  const watchable = item.plays || now?.state === 'ready' || now?.state === 'playable';
  return (
    <li class="card upload" data-state={state.is} data-video={video ?? ''}>
      <header class="upload-head">
        <h3>{item.filename}</h3>
        <span class="small soft">{bytesText(language.get(), item.size)}</span>
        <span class={`badge ${itemLook(item)}`} aria-hidden="true">
          {itemState(item)}
        </span>
        <span class="sr-only" role="status">
          {itemNews(item)}
        </span>
        <Actions item={item} name={name} />
      </header>
      {arriving && <Arrival item={item} name={name} />}
      {sent && <WorkBar now={sent} label={t('video.progress')} />}
      {sent && (sent.state === 'processing' || isRising(sent)) && <p class="small soft">{t('upload.goesOn')}</p>}
      {state.is === 'failed' && <Why item={item} />}
      {trouble !== null && <p class="notice">{trouble}</p>}
      {video !== null && watchable && (
        <WatchLink video={video} name={name} plays={sent ? playsAs(sent) : 'growing'} closed={draft.values.visibility === 'private'} />
      )}
      {useful(item) && <Describe draft={draft} />}
    </li>
  );
};

const Arrival = ({ item, name }: { item: UploadItem; name: string }) => {
  const facts = itemFacts(item);
  const moves = item.state.is === 'sending' || item.state.is === 'verifying' || item.state.is === 'preparing';
  return (
    <div class="upload-arrival">
      <Progress
        label={t('upload.progress', { name })}
        share={item.size > 0 ? item.sent / item.size : 0}
        words={facts.join(', ')}
        still={!moves}
      />
      <p class="small soft facts-line">
        {facts.join(' · ')}
        {item.resumedFrom > 0 && ` · ${t('upload.resumed', { size: bytesText(language.get(), item.resumedFrom) })}`}
      </p>
    </div>
  );
};

const Why = ({ item }: { item: UploadItem }) => {
  if (item.state.is !== 'failed') return null;
  const { reason, detail } = item.state;
  // The reason itself is told below.
  if (reason === 'not-usable' && item.now?.error) return null;
  return (
    <div class="notice" role="alert">
      <p>{t(reasons[reason])}</p>
      {reason === 'unexpected' && detail !== '' && <p>{t('failure.said', { detail })}</p>}
      {reason === 'signed-out' && <Link to={paths.login(paths.upload)}>{t('upload.signIn')}</Link>}
    </div>
  );
};

const Actions = ({ item, name }: { item: UploadItem; name: string }) => {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const { key, state } = item;
  const cancel = async (): Promise<void> => {
    setBusy(true);
    try {
      await queue.cancel(key);
      queue.forget(key);
      toast(t('upload.cancelled'));
    } catch (error) {
      setBusy(false);
      setAsking(false);
      toast(problemText(ApiProblem.from(error)));
    }
  };
  const over = state.is === 'done' || state.is === 'cancelled' || (state.is === 'failed' && !state.again);
  return (
    <div class="row upload-actions">
      {(state.is === 'sending' || state.is === 'waiting' || state.is === 'preparing') && (
        <Button slim aria-label={t('upload.pauseNamed', { name })} onPress={() => queue.pause(key)}>
          {t('upload.pause')}
        </Button>
      )}
      {state.is === 'paused' && (
        <Button slim look="primary" aria-label={t('upload.resumeNamed', { name })} onPress={() => queue.resume(key)}>
          {t('upload.resume')}
        </Button>
      )}
      {state.is === 'failed' && state.again && (
        <Button slim look="primary" aria-label={t('upload.retryNamed', { name })} onPress={() => queue.resume(key)}>
          {t('upload.retry')}
        </Button>
      )}
      {over ? (
        <Button slim aria-label={t('upload.dismissNamed', { name })} onPress={() => queue.forget(key)}>
          {t('upload.dismiss')}
        </Button>
      ) : (
        state.is !== 'verifying' && (
          <Button slim aria-label={t('upload.cancelNamed', { name })} onPress={() => setAsking(true)}>
            {t('upload.cancel')}
          </Button>
        )
      )}
      {asking && <ConfirmCancel name={name} busy={busy} onYes={() => void cancel()} onNo={() => setAsking(false)} />}
    </div>
  );
};

const Describe = ({ draft }: { draft: Draft }) => {
  const { values } = draft;
  return (
    <div class="upload-fields">
      <TextField
        label={t('videos.edit.name')}
        name="title"
        value={values.title}
        onValue={(title) => draft.set({ title }, true)}
        onLeave={draft.flush}
        fault={values.title.trim() === '' ? t('account.required') : null}
        maxLength={200}
      />
      <ChoiceField
        label={t('room.visibility')}
        name="visibility"
        value={values.visibility}
        options={visibilityOptions() as readonly (readonly [string, string])[]}
        onValue={(visibility) => draft.set({ visibility })}
      />
      <ProtectionField value={values.protection} onValue={(protection) => draft.set({ protection })} when={null} problem={draft.problem} />
      <details>
        <summary>{t('upload.more.options')}</summary>
        <div class="form">
          <TextArea
            label={t('videos.edit.description')}
            name="description"
            value={values.description}
            onValue={(description) => draft.set({ description }, true)}
            onLeave={draft.flush}
            maxLength={5000}
          />
          <SwitchField
            label={t('downloads.allow')}
            hint={t('downloads.hint')}
            name="downloads"
            on={values.downloads}
            onChange={(downloads) => draft.set({ downloads })}
          />
        </div>
      </details>
      <p class="small soft kept" role="status">
        {draft.problem && !isAboutProtection(draft.problem) ? problemText(draft.problem) : draft.is === 'saving' ? t('upload.saving') : draft.is === 'saved' ? t('upload.saved') : ''}
      </p>
    </div>
  );
};
