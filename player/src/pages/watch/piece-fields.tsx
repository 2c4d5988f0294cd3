/** Beginning and end of a piece: typed, or taken from the moment that is shown. */
import { useState } from 'preact/hooks';
import { readTime, typedTime } from '../../lib/time-param.ts';
import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/field.tsx';
import { t } from '../../words/index.ts';

export type Piece = { readonly in: number | null; readonly out: number | null };

export type PieceForm = {
  readonly from: string;
  readonly to: string;
  setFrom(text: string): void;
  setTo(text: string): void;
  /** Null while something cannot be read, or the end comes first. */
  readonly piece: Piece | null;
};

export const usePiece = (first: Piece): PieceForm => {
  const [from, setFrom] = useState(first.in === null ? '' : typedTime(first.in));
  const [to, setTo] = useState(first.out === null ? '' : typedTime(first.out));
  const readable = (from === '' || readTime(from) !== null) && (to === '' || readTime(to) !== null);
  const piece = { in: readTime(from), out: readTime(to) };
  const inOrder = piece.out === null || piece.out > (piece.in ?? 0);
  return { from, to, setFrom, setTo, piece: readable && inOrder ? piece : null };
};

type FieldProps = { label: string; name: string; value: string; onValue: (text: string) => void; fault: string | null; now: () => number | null };

const PlaceField = ({ label, name, value, onValue, fault, now }: FieldProps) => (
  <div class="place-field">
    <TextField label={label} name={name} value={value} onValue={onValue} fault={fault} maxLength={20} plain />
    <Button
      aria-label={t('piece.hereNamed', { name: label })}
      onPress={() => {
        const time = now();
        if (time !== null) onValue(typedTime(time));
      }}
    >
      {t('piece.here')}
    </Button>
  </div>
);

/** `now`: the time that is shown; null before there is any. */
export const PieceFields = ({ form, now }: { form: PieceForm; now: () => number | null }) => {
  const fault = (text: string): string | null => (text !== '' && readTime(text) === null ? t('piece.wrong') : null);
  const [wrongFrom, wrongTo] = [fault(form.from), fault(form.to)];
  const order = !form.piece && wrongFrom === null && wrongTo === null ? t('piece.order') : null;
  return (
    <div class="piece">
      <PlaceField label={t('piece.from')} name="from" value={form.from} onValue={form.setFrom} fault={wrongFrom} now={now} />
      <PlaceField label={t('piece.to')} name="to" value={form.to} onValue={form.setTo} fault={wrongTo ?? order} now={now} />
      <p class="small soft">{t('piece.form')}</p>
    </div>
  );
};
