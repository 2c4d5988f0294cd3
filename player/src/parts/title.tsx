/** The heading of a page. It takes the focus when the page was reached from another, so that readers start here. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

let arrivals = 0;

/** For what can be taken off a page: whoever stood on it stands on the heading then, and not nowhere. */
export const useFootingWhenGone = (): void => {
  useEffect(
    () => () =>
      void setTimeout(() => {
        const nowhere = document.activeElement === null || document.activeElement === document.body;
        if (nowhere) document.querySelector('h1')?.focus({ preventScroll: true });
      }),
    [],
  );
};

export const Heading = ({ children, hidden }: { children: ComponentChildren; hidden?: boolean }) => {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const busy =
      document.activeElement !== null && document.activeElement !== document.body && document.activeElement.isConnected;
    if (arrivals++ > 0 && !(busy && document.activeElement instanceof HTMLInputElement))
      heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} class={hidden ? 'sr-only' : ''}>
      {children}
    </h1>
  );
};
