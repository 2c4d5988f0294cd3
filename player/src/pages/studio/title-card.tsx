/** What the broadcast is called, to be changed while it runs. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Channel } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Notice } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { TitleField } from './fields.tsx';

export const TitleCard = ({ channel, onChanged }: { channel: Channel; onChanged: (channel: Channel) => void }) => {
  const [title, setTitle] = useState(channel.title);
  const sending = useSending();
  const wanted = title.trim().normalize('NFC');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (wanted === '' || wanted === channel.title) return;
    sending.run(async () => {
      onChanged(await api.changeChannel(channel.id, { title: wanted }));
      toast(t('title.changed'));
    });
  };
  return (
    <section class="card">
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        <div class="place-field">
          <TitleField label={t('create.channelTitle')} value={title} onValue={setTitle} hint={t('title.change.hint')} />
          <Button submit busy={sending.busy || wanted === '' || wanted === channel.title}>
            {sending.busy ? t('room.saving') : t('title.change')}
          </Button>
        </div>
      </form>
    </section>
  );
};
