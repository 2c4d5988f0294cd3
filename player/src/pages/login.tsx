/** Signing in. */
import { useState } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import { Button } from '../parts/button.tsx';
import { Notice, TextField } from '../parts/field.tsx';
import { PasswordField } from '../parts/password.tsx';
import { problemText } from '../parts/states.tsx';
import { Heading } from '../parts/title.tsx';
import { navigate } from '../router.tsx';
import { safeNext } from '../routes.ts';
import { signedIn } from '../state/session.ts';
import { useSending } from '../state/use-form.ts';
import { useTitle } from '../state/use.ts';
import { t } from '../words/index.ts';

export const LoginPage = () => {
  useTitle(t('login.title'));
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const sending = useSending();
  const required = (value: string): string | null => (tried && value === '' ? t('account.required') : null);

  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (username === '' || password === '') return;
    sending.run(async () => {
      const { account } = await api.signIn({ username: username.normalize('NFC'), password });
      signedIn(account);
      navigate(safeNext(location.search), { replace: true });
    });
  };
  const wrong = sending.problem && problemText(sending.problem);
  return (
    <main id="main" class="narrow">
      <div class="section">
        <Heading>{t('login.title')}</Heading>
        <p class="soft">{t('login.text')}</p>
      </div>
      <form class="form" onSubmit={submit} noValidate>
        {wrong && <Notice>{wrong}</Notice>}
        <TextField
          label={t('account.username')}
          name="username"
          autocomplete="username"
          value={username}
          onValue={setUsername}
          fault={required(username)}
          plain
          focus
        />
        <PasswordField value={password} onValue={setPassword} fault={required(password)} />
        <Button look="primary" submit busy={sending.busy}>
          {sending.busy ? t('login.doing') : t('login.do')}
        </Button>
      </form>
      <p class="small soft">{t('login.forgot')}</p>
    </main>
  );
};
