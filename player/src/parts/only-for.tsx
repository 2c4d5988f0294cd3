/** Rooms that are only for someone: asks who is there, sends visitors to sign in, and tells others why not. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Account, Role } from '../api/types.ts';
import { navigate } from '../router.tsx';
import { paths } from '../routes.ts';
import { askWho, session } from '../state/session.ts';
import { useStore } from '../state/use.ts';
import { Empty, Skeleton } from './states.tsx';

type Props = {
  roles: readonly Role[];
  refusal: { title: string; text: string };
  children: (account: Account) => ComponentChildren;
};

export const OnlyFor = ({ roles, refusal, children }: Props) => {
  const who = useStore(session);
  useEffect(() => {
    if (who.is === 'someone') return;
    void askWho().then(() => {
      if (session.get().is === 'nobody') navigate(paths.login(location.pathname), { replace: true });
    });
  }, [who.is]);
  if (who.is !== 'someone') {
    return (
      <main id="main">
        <Skeleton />
      </main>
    );
  }
  if (!roles.includes(who.account.role)) {
    return (
      <main id="main">
        <Empty {...refusal} whole />
      </main>
    );
  }
  return <>{children(who.account)}</>;
};
