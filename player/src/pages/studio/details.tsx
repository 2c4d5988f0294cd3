/** Title, visibility, latency and what viewers may do. The title can change in the middle of a show. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Channel } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { ChoiceField, Notice } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { dvrOf, dvrOptions, dvrValue, latencyOptions } from './choices.ts';
import { DownloadsField, isNamed, knownVisibility, TitleField, VisibilityField } from './fields.tsx';
import { LanguageList } from './language-list.tsx';

export const DetailsCard = ({ channel, onChanged }: { channel: Channel; onChanged: (channel: Channel) => void }) => {
  const [title, setTitle] = useState(channel.title);
  const [visibility, setVisibility] = useState(knownVisibility(channel.visibility));
  const [latency, setLatency] = useState(channel.latency);
  // Absent: a server that cannot do it yet, and would refuse to be told.
  const [dvr, setDvr] = useState(channel.dvr);
  const [captions, setCaptions] = useState(channel.captions);
  const [downloads, setDownloads] = useState(channel.downloads);
  const sending = useSending();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isNamed(title)) return;
    sending.run(async () => {
      const change = {
        title: title.trim().normalize('NFC'),
        latency,
        ...(visibility ? { visibility } : {}),
        ...(dvr === undefined ? {} : { dvr }),
        ...(captions === undefined ? {} : { captions }),
        ...(downloads === undefined ? {} : { downloads }),
      };
      onChanged(await api.changeChannel(channel.id, change));
      toast(t('room.saved'));
    });
  };
  return (
    <section class="card" aria-labelledby="details">
      <h2 id="details">{t('room.details')}</h2>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        <TitleField label={t('create.channelTitle')} value={title} onValue={setTitle} />
        <VisibilityField value={visibility} onValue={setVisibility} />
        <ChoiceField
          label={t('room.latency')}
          name="latency"
          value={latency}
          options={latencyOptions()}
          onValue={setLatency}
          hint={t('room.latency.hint')}
        />
        {dvr !== undefined && (
          <ChoiceField
            label={t('room.dvr')}
            name="dvr"
            value={dvrValue(dvr)}
            options={dvrOptions(dvr)}
            onValue={(value) => setDvr(dvrOf(value))}
            hint={t('room.dvr.hint')}
          />
        )}
        {captions !== undefined && <LanguageList tags={captions} onTags={setCaptions} />}
        {downloads !== undefined && <DownloadsField hint={t('room.downloads.hint')} on={downloads} onChange={setDownloads} />}
        <div class="form-foot">
          <Button look="primary" submit busy={sending.busy}>
            {sending.busy ? t('room.saving') : t('room.save')}
          </Button>
        </div>
      </form>
    </section>
  );
};
