/** What a video is called, who may watch it, and whether it may be taken along; and its end. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { visibilities } from '../../api/types.ts';
import type { Video } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { ChoiceField, Notice, SwitchField, TextArea, TextField } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { visibilityOptions } from './choices.ts';

type EditProps = { video: Video; onClose: () => void; onChanged: (video: Video) => void };

export const EditVideo = ({ video, onClose, onChanged }: EditProps) => {
  const [title, setTitle] = useState(video.title);
  const [description, setDescription] = useState(video.description ?? '');
  // A visibility that this page has no words for is set elsewhere and left as it is.
  const [visibility, setVisibility] = useState(visibilities.find((known) => known === video.visibility) ?? null);
  const [downloads, setDownloads] = useState(video.downloads ?? false);
  const sending = useSending();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (title.trim() === '') return;
    sending.run(async () => {
      const change = { title: title.trim().normalize('NFC'), description, downloads, ...(visibility ? { visibility } : {}) };
      onChanged(await api.changeVideo(video.id, change));
      toast(t('room.saved'));
      onClose();
    });
  };
  return (
    <Dialog title={t('videos.edit.title')} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        <TextField
          label={t('videos.edit.name')}
          name="title"
          value={title}
          onValue={setTitle}
          fault={title.trim() === '' ? t('account.required') : null}
          maxLength={200}
          focus
        />
        <TextArea
          label={t('videos.edit.description')}
          name="description"
          value={description}
          onValue={setDescription}
          maxLength={5000}
        />
        {visibility && (
          <ChoiceField
            label={t('room.visibility')}
            name="visibility"
            value={visibility}
            options={visibilityOptions()}
            onValue={setVisibility}
          />
        )}
        <SwitchField
          label={t('downloads.allow')}
          hint={t('downloads.hint')}
          name="downloads"
          on={downloads}
          onChange={setDownloads}
        />
        <div class="dialog-foot">
          <Button onPress={onClose}>{t('frame.cancel')}</Button>
          <Button look="primary" submit busy={sending.busy}>
            {sending.busy ? t('room.saving') : t('room.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
};

type RemoveProps = { video: Video; onClose: () => void; onRemoved: () => void };

export const RemoveVideo = ({ video, onClose, onRemoved }: RemoveProps) => {
  const sending = useSending();
  const remove = (): void =>
    sending.run(async () => {
      await api.deleteVideo(video.id);
      toast(t('videos.removed'));
      onRemoved();
    });
  return (
    <Confirm
      title={t('videos.remove.title')}
      text={t('videos.remove.text', { name: video.title })}
      yes={t('videos.remove')}
      problem={sending.problem && problemText(sending.problem)}
      busy={sending.busy}
      onYes={remove}
      onNo={onClose}
    />
  );
};
