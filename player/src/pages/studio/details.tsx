/** Visibility, protection, latency, the ladder and what viewers may do. */
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
import { DownloadsField, knownVisibility, VisibilityField } from './fields.tsx';
import { LadderField } from './ladder-field.tsx';
import { LanguageList } from './language-list.tsx';
import { isAboutProtection, ProtectionField } from './protection-field.tsx';

export const DetailsCard = ({ channel, onChanged }: { channel: Channel; onChanged: (channel: Channel) => void }) => {
  const [visibility, setVisibility] = useState(knownVisibility(channel.visibility));
  const [protection, setProtection] = useState(channel.protection);
  const [latency, setLatency] = useState(channel.latency);
  const [ladder, setLadder] = useState(channel.ladder);
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
        ...(protection === undefined ? {} : { protection }),
        // One that was taken away since is no reason to refuse all else.
        ...(ladder === undefined || ladder === channel.ladder ? {} : { ladder }),
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
        {sending.problem && !isAboutProtection(sending.problem) && <Notice>{problemText(sending.problem)}</Notice>}
        <VisibilityField value={visibility} onValue={setVisibility} />
        <ProtectionField value={protection} onValue={setProtection} when="protection.next" problem={sending.problem} />
        <ChoiceField
          label={t('room.latency')}
          name="latency"
          value={latency}
          options={latencyOptions()}
          onValue={setLatency}
          hint={t('room.latency.hint')}
        />
        <LadderField value={ladder} onValue={setLadder} later />
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
