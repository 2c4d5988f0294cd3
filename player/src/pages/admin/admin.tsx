/** The server's first room: whether it is well, and who may use it. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Role } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogEnd } from '../../parts/dialog.tsx';
import { ChoiceField, Notice, TextField } from '../../parts/field.tsx';
import { OnlyFor } from '../../parts/only-for.tsx';
import { PasswordField, shortestPassword } from '../../parts/password.tsx';
import { Failed, problemText, Skeleton } from '../../parts/states.tsx';
import { Heading } from '../../parts/title.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { useLoaded, useTitle } from '../../state/use.ts';
import { t } from '../../words/index.ts';
import { AccountTable } from './account-table.tsx';
import { AdminNav } from './nav.tsx';
import { RefusedSenders } from './refused-senders.tsx';
import { Encoding } from './encoding.tsx';
import { ServerState } from './server-state.tsx';

export const AdminPage = () => (
  <OnlyFor roles={['admin']} refusal={{ title: t('admin.forbidden.title'), text: t('admin.forbidden.text') }}>
    {() => <Admin />}
  </OnlyFor>
);

const Admin = () => {
  useTitle(t('admin.title'));
  return (
    <main id="main">
      <AdminNav here="server" />
      <Heading>{t('admin.title')}</Heading>
      <ServerState />
      <Encoding />
      <Accounts />
      <RefusedSenders />
    </main>
  );
};

const Accounts = () => {
  const accounts = useLoaded('accounts', () => api.accounts());
  const [creating, setCreating] = useState(false);
  return (
    <section class="card" aria-labelledby="accounts">
      <div class="page-head">
        <h2 id="accounts">{t('admin.accounts')}</h2>
        <Button onPress={() => setCreating(true)}>{t('admin.accounts.new')}</Button>
      </div>
      {accounts.now.is === 'loading' && <Skeleton />}
      {accounts.now.is === 'failed' && <Failed problem={accounts.now.problem} onRetry={accounts.reload} />}
      {accounts.now.is === 'here' && <AccountTable accounts={accounts.now.value.items} onChanged={accounts.reload} />}
      {creating && (
        <CreateAccount
          onClose={() => setCreating(false)}
          onCreated={(name) => {
            setCreating(false);
            accounts.reload();
            toast(t('admin.accounts.created', { name }));
          }}
        />
      )}
    </section>
  );
};

const roles: readonly Role[] = ['creator', 'viewer', 'admin'];

const CreateAccount = ({ onClose, onCreated }: { onClose: () => void; onCreated: (name: string) => void }) => {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>('creator');
  const [tried, setTried] = useState(false);
  const sending = useSending();
  const short = password.length < shortestPassword;
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (username === '' || short) return;
    sending.run(async () => {
      await api.createAccount({ username: username.normalize('NFC'), password, role });
      onCreated(username);
    });
  };
  return (
    <Dialog title={t('admin.accounts.new')} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        <TextField
          label={t('account.username')}
          name="username"
          autocomplete="off"
          value={username}
          onValue={setUsername}
          fault={tried && username === '' ? t('account.required') : null}
          plain
          focus
        />
        <PasswordField
          value={password}
          onValue={setPassword}
          hint={t('account.password.hint', { count: shortestPassword })}
          fault={tried && short ? t('account.password.short', { count: shortestPassword }) : null}
          fresh
        />
        <ChoiceField
          label={t('admin.role')}
          name="role"
          value={role}
          options={roles.map((option) => [option, t(`admin.role.${option}`)] as const)}
          onValue={setRole}
          hint={t('admin.role.hint')}
        />
        <DialogEnd busy={sending.busy} words={t('admin.accounts.create')} onClose={onClose} />
      </form>
    </Dialog>
  );
};
