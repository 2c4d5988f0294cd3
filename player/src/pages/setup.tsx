/** The first visit: the one-time link sets the administrator's name and password. */
import { useState } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import { Button } from '../parts/button.tsx';
import { Notice, TextField } from '../parts/field.tsx';
import { PasswordField, shortestPassword } from '../parts/password.tsx';
import { Empty, Failed, problemText, Skeleton } from '../parts/states.tsx';
import { Heading } from '../parts/title.tsx';
import { Link, navigate } from '../router.tsx';
import { paths, setupToken } from '../routes.ts';
import { signedIn } from '../state/session.ts';
import { useSending } from '../state/use-form.ts';
import { useLoaded, useTitle } from '../state/use.ts';
import { t } from '../words/index.ts';

export const SetupPage = () => {
  useTitle(t('setup.title'));
  const [token] = useState(() => setupToken(location.hash));
  const needed = useLoaded('setup', () => api.setup());
  return (
    <main id="main" class="narrow">
      {needed.now.is === 'loading' && <Skeleton />}
      {needed.now.is === 'failed' && <Failed problem={needed.now.problem} onRetry={needed.reload} />}
      {needed.now.is === 'here' && !needed.now.value.needed && token === '' && (
        <Empty title={t('setup.done.title')} text={t('setup.done.text')} whole>
          <Link class="button primary" to={paths.login()}>
            {t('frame.signIn')}
          </Link>
        </Empty>
      )}
      {needed.now.is === 'here' && needed.now.value.needed && token === '' && (
        <Empty title={t('setup.noToken.title')} text={t('setup.noToken.text')} whole />
      )}
      {needed.now.is === 'here' && token !== '' && <SetupForm token={token} first={needed.now.value.needed} />}
    </main>
  );
};

/** The link of the first start names the administrator; the link of a reset only sets the password. */
const SetupForm = ({ token, first }: { token: string; first: boolean }) => {
  const [username, setUsername] = useState('admin');
  const [password, setPassword] = useState('');
  const [left, setLeft] = useState(false);
  const sending = useSending();
  const short = password.length < shortestPassword;

  const submit = (event: Event): void => {
    event.preventDefault();
    setLeft(true);
    if (username === '' || short) return;
    sending.run(async () => {
      const { account } = await api.finishSetup({
        token,
        password,
        ...(first ? { username: username.normalize('NFC') } : {}),
      });
      signedIn(account);
      navigate(paths.studio, { replace: true });
    });
  };
  return (
    <>
      <div class="section">
        <Heading>{t(first ? 'setup.title' : 'setup.reset.title')}</Heading>
        <p class="soft">{t(first ? 'setup.text' : 'setup.reset.text')}</p>
      </div>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        {first && (
          <TextField
            label={t('account.username')}
            name="username"
            autocomplete="username"
            value={username}
            onValue={setUsername}
            fault={username === '' ? t('account.required') : null}
            plain
          />
        )}
        <PasswordField
          value={password}
          onValue={setPassword}
          onLeave={() => setLeft(password !== '')}
          hint={t('account.password.hint', { count: shortestPassword })}
          fault={left && short ? t('account.password.short', { count: shortestPassword }) : null}
          fresh
          focus
        />
        <Button look="primary" submit busy={sending.busy}>
          {sending.busy ? t('setup.doing') : t(first ? 'setup.do' : 'setup.reset.do')}
        </Button>
      </form>
    </>
  );
};
