/** The fields that forms of channels and of videos share. */
import { ChoiceField, SwitchField, TextField } from '../../parts/field.tsx';
import { visibilities } from '../../api/types.ts';
import type { Visibility } from '../../api/types.ts';
import { t } from '../../words/index.ts';
import { visibilityOptions } from './choices.ts';

/** Null: the pages have no words for it (a list, a password). It is set elsewhere and left as it is. */
export const knownVisibility = (text: string): Visibility | null => visibilities.find((visibility) => visibility === text) ?? null;

export const isNamed = (title: string): boolean => title.trim() !== '';

type TitleProps = {
  label: string;
  value: string;
  onValue: (value: string) => void;
  hint?: string;
  /** That it is empty is not told before somebody wanted to go on with it. */
  calm?: boolean;
  focus?: boolean;
};

export const TitleField = ({ calm, value, ...field }: TitleProps) => (
  <TextField {...field} name="title" value={value} fault={!calm && !isNamed(value) ? t('account.required') : null} maxLength={200} />
);

export const VisibilityField = ({ value, onValue }: { value: Visibility | null; onValue: (value: Visibility) => void }) =>
  value && <ChoiceField label={t('room.visibility')} name="visibility" value={value} options={visibilityOptions()} onValue={onValue} />;

export const DownloadsField = ({ hint, on, onChange }: { hint: string; on: boolean; onChange: (on: boolean) => void }) => (
  <SwitchField label={t('downloads.allow')} hint={hint} name="downloads" on={on} onChange={onChange} />
);
