/** Something to put into another program: shown, selected by a click, copied by a button. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { copyText } from '../lib/copy.ts';
import { t } from '../words/index.ts';
import { Button } from './button.tsx';
import { Icon } from './icons.tsx';
import { toast } from './toasts.tsx';

type CopyButtonProps = { name: string; wide?: boolean; slim?: boolean; text: () => Promise<string | null>; onByHand: () => void };

export const CopyButton = ({ name, wide, slim, text, onByHand }: CopyButtonProps) => {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 2_000);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => {
    const what = await text();
    if (what === null) return;
    if (await copyText(what)) {
      setDone(true);
      toast(t('copy.done'));
    } else {
      onByHand();
      toast(t('copy.byHand'));
    }
  };
  return (
    <Button slim={slim ?? false} aria-label={t('copy.doNamed', { name })} onPress={() => void copy()}>
      <Icon name={done ? 'check' : 'copy'} />
      {wide && <span>{t(done ? 'copy.done.short' : 'copy.do')}</span>}
    </Button>
  );
};

type CopyFieldProps = {
  label: string;
  name: string;
  value: string;
  hint?: string;
  children?: ComponentChildren;
  reveal?: () => Promise<string | null>;
};

/** `reveal` brings the whole text where `value` shows only a mask. */
export const CopyField = ({ label, name, value, hint, children, reveal }: CopyFieldProps) => {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class="copy-field">
      <label class="label" for={id}>
        {label}
      </label>
      <div class="copy-row">
        <input
          id={id}
          ref={input}
          class="input"
          name={name}
          readOnly
          value={value}
          aria-describedby={hint ? `${id}-hint` : undefined}
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton
          name={label}
          wide
          text={reveal ?? (async () => value)}
          onByHand={() => setTimeout(() => input.current?.select(), 50)}
        />
      </div>
      {hint && (
        <p class="small soft" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {children}
    </div>
  );
};
