/** Visibility, latency and what viewers may do. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { visibilities } from '../../api/types.ts';
import type { Channel, Visibility } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { ChoiceField, Notice, SwitchField } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { dvrOf, dvrOptions, dvrValue, latencyOptions, visibilityOptions } from './choices.ts';
import { LanguageList } from './language-list.tsx';

/** A visibility that this page has no words for (a list, a password) is set elsewhere and left as it is. */
const known = (text: string): Visibility | null => visibilities.find((visibility) => visibility === text) ?? null;

export const DetailsCard = ({ channel, onChanged }: { channel: Channel; onChanged: (channel: Channel) => void }) => {
  const [visibility, setVisibility] = useState(known(channel.visibility));
  const [latency, setLatency] = useState(channel.latency);
  // Absent: a server that cannot do it yet, and would refuse to be told.
  const [dvr, setDvr] = useState(channel.dvr);
  const [captions, setCaptions] = useState(channel.captions);
  const [downloads, setDownloads] = useState(channel.downloads);
  const sending = useSending();
  const submit = (event: Event): void => {
    event.preventDefault();
    sending.run(async () => {
      const change = {
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
        {visibility && (
          <ChoiceField
            label={t('room.visibility')}
            name="visibility"
            value={visibility}
            options={visibilityOptions()}
            onValue={setVisibility}
          />
        )}
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
        {downloads !== undefined && (
          <SwitchField
            label={t('downloads.allow')}
            hint={t('room.downloads.hint')}
            name="downloads"
            on={downloads}
            onChange={setDownloads}
          />
        )}
        <div class="form-foot">
          <Button look="primary" submit busy={sending.busy}>
            {sending.busy ? t('room.saving') : t('room.save')}
          </Button>
        </div>
      </form>
    </section>
  );
};
