/** A new channel. The address is checked while it is typed: its form here, whether it is free at the server. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { Channel, Protection, Visibility } from '../../api/types.ts';
import { longestName, nameFault, nameFromTitle } from '../../lib/channel-name.ts';
import { Dialog, DialogEnd } from '../../parts/dialog.tsx';
import { Notice, TextField } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { isNamed, TitleField, VisibilityField } from './fields.tsx';
import { LadderField } from './ladder-field.tsx';
import { isAboutProtection, ProtectionField } from './protection-field.tsx';

type Taken = 'unknown' | 'free' | 'taken';

const useTaken = (name: string): Taken => {
  const [seen, setSeen] = useState<{ name: string; taken: Taken }>({ name: '', taken: 'unknown' });
  useEffect(() => {
    if (nameFault(name) !== null) return;
    let current = true;
    const timer = setTimeout(() => {
      api.channel(`@${name}`).then(
        () => current && setSeen({ name, taken: 'taken' }),
        (error: unknown) =>
          current && setSeen({ name, taken: ApiProblem.from(error).status === 404 ? 'free' : 'unknown' }),
      );
    }, 350);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [name]);
  return seen.name === name ? seen.taken : 'unknown';
};

export const CreateChannel = ({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (channel: Channel) => void;
}) => {
  const [title, setTitle] = useState('');
  const [typed, setTyped] = useState<string | null>(null);
  const [visibility, setVisibility] = useState<Visibility>('public');
  const [protection, setProtection] = useState<Protection>('none');
  const [ladder, setLadder] = useState('source');
  const [tried, setTried] = useState(false);
  const sending = useSending();
  // The address follows the title until somebody types an address.
  const name = typed ?? nameFromTitle(title);
  const taken = useTaken(name);
  const wrong = nameFault(name);

  const nameTrouble = (): string | null => {
    if (wrong === 'empty') return tried || typed !== null ? t('create.name.empty') : null;
    if (wrong === 'long') return t('create.name.long', { count: longestName });
    if (wrong === 'characters') return t('create.name.characters');
    if (wrong === 'reserved') return t('create.name.reserved');
    return taken === 'taken' ? t('create.name.taken') : null;
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (!isNamed(title) || wrong !== null || taken === 'taken') return;
    sending.run(async () => {
      onCreated(await api.createChannel({ name, title: title.trim().normalize('NFC'), visibility, latency: 'low', ladder, protection }));
    });
  };
  return (
    <Dialog title={t('create.title')} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && !isAboutProtection(sending.problem) && <Notice>{problemText(sending.problem)}</Notice>}
        <TitleField
          label={t('create.channelTitle')}
          value={title}
          onValue={setTitle}
          hint={t('create.channelTitle.hint')}
          calm={!tried}
          focus
        />
        <TextField
          label={t('create.name')}
          name="name"
          prefix="@"
          value={name}
          onValue={(value) => setTyped(value.toLowerCase())}
          hint={t('create.name.hint', { address: `${location.host}/@${name === '' ? '…' : name}` })}
          fault={nameTrouble()}
          good={wrong === null && taken === 'free' ? t('create.name.free') : null}
          plain
        />
        <VisibilityField value={visibility} onValue={setVisibility} />
        <LadderField value={ladder} onValue={setLadder} later={false} />
        <ProtectionField value={protection} onValue={setProtection} when={null} problem={sending.problem} />
        <DialogEnd busy={sending.busy} words={t('create.do')} doing={t('create.doing')} onClose={onClose} />
      </form>
    </Dialog>
  );
};
