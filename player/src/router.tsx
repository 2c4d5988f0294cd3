/** Moving between pages without loading them again: the History API, one store, and a link that uses it. */
import type { ComponentChildren } from 'preact';
import { createStore } from './state/store.ts';

export const address = createStore(location.pathname);

addEventListener('popstate', () => address.set(location.pathname));

export const navigate = (to: string, how: { replace?: boolean } = {}): void => {
  if (how.replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  scrollTo(0, 0);
  address.set(location.pathname);
};

type LinkProps = {
  to: string;
  class?: string;
  children: ComponentChildren;
  'aria-current'?: 'page';
  'aria-label'?: string;
};

export const Link = ({ to, children, ...rest }: LinkProps) => {
  const onClick = (event: MouseEvent) => {
    // Only a plain click is ours: with a modifier the browser opens a tab, a window or a download.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} onClick={onClick} {...rest}>
      {children}
    </a>
  );
};
