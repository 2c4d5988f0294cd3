/** A password, and a box to see what was typed. */
import { useState } from 'preact/hooks';
import { t } from '../words/index.ts';
import { TextField } from './field.tsx';

type Props = {
  value: string;
  onValue: (value: string) => void;
  fresh?: boolean;
  focus?: boolean;
  hint?: string;
  fault?: string | null;
  onLeave?: () => void;
};

export const PasswordField = ({ value, onValue, fresh, focus, hint, fault, onLeave }: Props) => {
  const [shown, setShown] = useState(false);
  return (
    <div class="field">
      <TextField
        label={t('account.password')}
        name="password"
        type={shown ? 'text' : 'password'}
        autocomplete={fresh ? 'new-password' : 'current-password'}
        value={value}
        onValue={onValue}
        hint={hint}
        fault={fault}
        plain
        focus={focus ?? false}
        {...(onLeave ? { onLeave } : {})}
      />
      <div class="row small">
        <label class="row">
          <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
          {t('account.password.show')}
        </label>
      </div>
    </div>
  );
};

/** The server has the last word; this saves the round trip. */
export const shortestPassword = 8;
