/** A button that can be at work: it keeps its focus and its place, and takes no second press. */
import type { ComponentChildren } from 'preact';

type ButtonProps = {
  children: ComponentChildren;
  look?: 'primary' | 'danger' | 'quiet';
  slim?: boolean;
  busy?: boolean;
  submit?: boolean;
  onPress?: () => void;
  'aria-label'?: string;
  'aria-expanded'?: boolean;
};

export const Button = ({ children, look, slim, busy, submit, onPress, ...aria }: ButtonProps) => (
  <button
    type={submit ? 'submit' : 'button'}
    class={`button ${look ?? ''} ${slim ? 'slim' : ''}`}
    // aria-disabled, not disabled: a disabled button loses the focus of whoever pressed it.
    aria-disabled={busy ? 'true' : undefined}
    onClick={(event) => {
      if (busy) event.preventDefault();
      else onPress?.();
    }}
    {...aria}
  >
    {children}
  </button>
);
