/** Where a stream key may be used from: anywhere, or the addresses and networks that its owner names. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { StreamKey } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogEnd } from '../../parts/dialog.tsx';
import { Notice, TextArea } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';

type Props = {
  channel: string;
  current: StreamKey;
  networks: readonly string[];
  onChanged: (key: StreamKey) => void;
};

export const KeyNetworks = ({ channel, current, networks, onChanged }: Props) => {
  const [changing, setChanging] = useState(false);
  return (
    <div class="row small soft">
      <span>
        {networks.length === 0
          ? t('room.networks.anywhere')
          : t('room.networks.some', { networks: networks.join(', ') })}
      </span>
      <Button slim onPress={() => setChanging(true)}>
        {t('room.networks.change')}
      </Button>
      {changing && (
        <ChangeNetworks
          channel={channel}
          current={current}
          networks={networks}
          onClose={() => setChanging(false)}
          onChanged={(key) => {
            setChanging(false);
            onChanged(key);
            toast(t('room.saved'));
          }}
        />
      )}
    </div>
  );
};

/** One on each line, or between commas, as they are pasted from elsewhere. */
const networksIn = (text: string): string[] => text.split(/[\s,;]+/).filter((part) => part !== '');

const ChangeNetworks = ({ channel, current, networks, onClose, onChanged }: Props & { onClose: () => void }) => {
  const [text, setText] = useState(networks.join('\n'));
  const sending = useSending();
  const wrong = sending.problem?.code === 'validation';
  const submit = (event: Event): void => {
    event.preventDefault();
    sending.run(async () => onChanged(await api.changeKey(channel, current.id, { allowedNetworks: networksIn(text) })));
  };
  return (
    <Dialog title={t('room.networks.title')} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && !wrong && <Notice>{problemText(sending.problem)}</Notice>}
        <TextArea
          label={t('room.networks.label')}
          name="networks"
          value={text}
          onValue={setText}
          maxLength={2_200}
          hint={t('room.networks.hint')}
          fault={wrong ? t('room.networks.wrong') : null}
        />
        <DialogEnd busy={sending.busy} words={t('room.save')} onClose={onClose} />
      </form>
    </Dialog>
  );
};
