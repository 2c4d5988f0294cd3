/** A labelled input, with its hint, its fault and its good news tied to it for readers. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

type Common = {
  label: string;
  hint?: string | undefined;
  fault?: string | null | undefined;
  good?: string | null | undefined;
};

const Notes = ({ id, hint, fault, good, more }: Omit<Common, 'label'> & { id: string; more?: ComponentChildren }) => (
  <div id={id}>
    {hint && !fault && <p class="hint">{hint}</p>}
    {more}
    {/* Always there, so that a reader hears what comes into it. */}
    <div aria-live="polite">
      {fault && <p class="fault">{fault}</p>}
      {!fault && good && <p class="good">{good}</p>}
    </div>
  </div>
);

type TextFieldProps = Common & {
  value: string;
  onValue: (value: string) => void;
  onLeave?: () => void;
  type?: 'text' | 'password' | 'search';
  name: string;
  autocomplete?: string;
  prefix?: string;
  plain?: boolean;
  maxLength?: number;
  focus?: boolean;
};

export const TextField = ({
  label,
  hint,
  fault,
  good,
  value,
  onValue,
  onLeave,
  type = 'text',
  prefix,
  plain,
  focus,
  ...input
}: TextFieldProps) => {
  const id = useId();
  const box = (
    <input
      id={id}
      class="input"
      value={value}
      autofocus={focus ?? false}
      aria-invalid={fault ? 'true' : undefined}
      aria-describedby={`${id}-notes`}
      {...(plain ? { autocapitalize: 'none', autocorrect: 'off', spellcheck: false } : {})}
      {...input}
      {...(type === 'password' ? { type } : type === 'search' ? { type } : {})}
      onInput={(event) => onValue(event.currentTarget.value)}
      onBlur={() => onLeave?.()}
    />
  );
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {prefix === undefined ? (
        box
      ) : (
        <div class="prefixed">
          <span class="prefix" aria-hidden="true">
            {prefix}
          </span>
          {box}
        </div>
      )}
      <Notes id={`${id}-notes`} hint={hint} fault={fault} good={good} />
    </div>
  );
};

type TextAreaProps = Common & {
  value: string;
  onValue: (value: string) => void;
  onLeave?: () => void;
  name: string;
  maxLength: number;
  rows?: number;
};

export const TextArea = ({ label, hint, fault, good, value, onValue, onLeave, rows = 4, ...input }: TextAreaProps) => {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class="input"
        rows={rows}
        value={value}
        aria-invalid={fault ? 'true' : undefined}
        aria-describedby={`${id}-notes`}
        {...input}
        onInput={(event) => onValue(event.currentTarget.value)}
        onBlur={() => onLeave?.()}
      />
      <Notes id={`${id}-notes`} hint={hint} fault={fault} good={good} />
    </div>
  );
};

type ChoiceProps<T extends string> = Common & {
  name: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onValue: (value: T) => void;
  /** What a sentence does not hold: behind the hint, and read out with it. */
  more?: ComponentChildren;
};

export const ChoiceField = <T extends string>({
  label,
  hint,
  fault,
  good,
  name,
  value,
  options,
  onValue,
  more,
}: ChoiceProps<T>) => {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input"
        name={name}
        value={value}
        aria-invalid={fault ? 'true' : undefined}
        aria-describedby={`${id}-notes`}
        onChange={(event) => {
          const chosen = options.find(([option]) => option === event.currentTarget.value);
          if (chosen) onValue(chosen[0]);
        }}
      >
        {options.map(([option, words]) => (
          <option key={option} value={option}>
            {words}
          </option>
        ))}
      </select>
      <Notes id={`${id}-notes`} hint={hint} fault={fault} good={good} more={more} />
    </div>
  );
};

type SwitchProps = { label: string; hint?: string; name: string; on: boolean; onChange: (on: boolean) => void };

export const SwitchField = ({ label, hint, name, on, onChange }: SwitchProps) => {
  const id = useId();
  return (
    <div class="field">
      <label class="switch" for={id}>
        <input
          id={id}
          type="checkbox"
          role="switch"
          name={name}
          checked={on}
          aria-describedby={`${id}-notes`}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      <Notes id={`${id}-notes`} hint={hint} />
    </div>
  );
};

export const Notice = ({ children, kind }: { children: ComponentChildren; kind?: 'warn' }) => (
  <div class={`notice ${kind ?? ''}`} role={kind ? undefined : 'alert'}>
    {children}
  </div>
);
