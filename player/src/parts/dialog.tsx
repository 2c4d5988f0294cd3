/** A modal question, on the browser's own <dialog>: it traps the focus, closes on Esc, and gives the focus back. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../words/index.ts';
import { Button } from './button.tsx';
import { Notice } from './field.tsx';

type DialogProps = { title: string; children: ComponentChildren; onClose: () => void };

export const Dialog = ({ title, children, onClose }: DialogProps) => {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    // Taken out of the page while open, a dialog does not give the focus back by itself.
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog class="dialog" ref={box} aria-labelledby={id} onClose={onClose}>
      <div class="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
};

/** `doing`: what the button says meanwhile, where that is something else. */
type EndProps = { busy: boolean; words: string; doing?: string; onClose: () => void };

/** The row that ends a form. */
export const DialogEnd = ({ busy, words, doing = words, onClose }: EndProps) => (
  <div class="dialog-foot">
    <Button onPress={onClose}>{t('frame.cancel')}</Button>
    <Button look="primary" submit busy={busy}>
      {busy ? doing : words}
    </Button>
  </div>
);

type ConfirmProps = {
  title: string;
  text: string;
  yes: string;
  /** Of the button that does it, where that takes nothing away. */
  look?: 'primary' | 'danger';
  /** Where "Cancel" could mean either. */
  no?: string;
  /** Why it could not be done. */
  problem?: string | null;
  busy: boolean;
  onYes: () => void;
  onNo: () => void;
};

export const Confirm = ({ title, text, yes, look = 'danger', no, problem, busy, onYes, onNo }: ConfirmProps) => (
  <Dialog title={title} onClose={onNo}>
    <p class="soft">{text}</p>
    {problem && <Notice>{problem}</Notice>}
    <div class="dialog-foot">
      <Button onPress={onNo}>{no ?? t('frame.cancel')}</Button>
      <Button look={look} busy={busy} onPress={onYes}>
        {yes}
      </Button>
    </div>
  </Dialog>
);
