/** What a video is called, who may watch it, how it is protected, and whether it may be taken along; and its end. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Video } from '../../api/types.ts';
import { Confirm, Dialog, DialogEnd } from '../../parts/dialog.tsx';
import { Notice, TextArea } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { DownloadsField, isNamed, knownVisibility, TitleField, VisibilityField } from './fields.tsx';
import { isAboutProtection, ProtectionField } from './protection-field.tsx';

type EditProps = { video: Video; onClose: () => void; onChanged: (video: Video) => void };

export const EditVideo = ({ video, onClose, onChanged }: EditProps) => {
  const [title, setTitle] = useState(video.title);
  const [description, setDescription] = useState(video.description ?? '');
  const [visibility, setVisibility] = useState(knownVisibility(video.visibility));
  const [protection, setProtection] = useState(video.protection);
  const [downloads, setDownloads] = useState(video.downloads ?? false);
  const sending = useSending();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isNamed(title)) return;
    sending.run(async () => {
      const change = { title: title.trim().normalize('NFC'), description, downloads, ...(visibility ? { visibility } : {}), ...(protection ? { protection } : {}) };
      onChanged(await api.changeVideo(video.id, change));
      toast(t('room.saved'));
      onClose();
    });
  };
  return (
    <Dialog title={t('videos.edit.title')} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && !isAboutProtection(sending.problem) && <Notice>{problemText(sending.problem)}</Notice>}
        <TitleField label={t('videos.edit.name')} value={title} onValue={setTitle} focus />
        <TextArea
          label={t('videos.edit.description')}
          name="description"
          value={description}
          onValue={setDescription}
          maxLength={5000}
        />
        <VisibilityField value={visibility} onValue={setVisibility} />
        <ProtectionField value={protection} onValue={setProtection} when="protection.now" problem={sending.problem} />
        <DownloadsField hint={t('downloads.hint')} on={downloads} onChange={setDownloads} />
        <DialogEnd busy={sending.busy} words={t('room.save')} doing={t('room.saving')} onClose={onClose} />
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
