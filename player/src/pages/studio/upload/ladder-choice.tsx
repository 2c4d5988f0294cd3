/** Which smaller sizes the next files get. */
import { api } from '../../../api/endpoints.ts';
import { ChoiceField } from '../../../parts/field.tsx';
import { useLoaded } from '../../../state/use.ts';
import { t } from '../../../words/index.ts';
import { nameOf } from '../ladder-field.tsx';

/** What the server makes where nothing is said. */
const usual = 'standard';

type Props = {
  /** Null: nobody has chosen. */
  value: string | null;
  onValue: (value: string) => void;
};

/** Where there is nothing to choose, or nothing can be encoded, nothing is asked. */
export const LadderChoice = ({ value, onValue }: Props) => {
  const { now } = useLoaded('ladders', api.ladders);
  // Of a file there is nothing to be weighed against what is live: automatic is the usual one.
  const ladders = now.is === 'here' ? now.value.items.filter(({ name }) => name !== 'auto') : [];
  if (ladders.length < 2) return null;
  const shown = [value, usual, ladders[0]?.name].find((name) => ladders.some((ladder) => ladder.name === name)) ?? '';
  return (
    <div class="ladder-choice">
      <ChoiceField
        label={t('ladder.upload.label')}
        name="ladder"
        value={shown}
        options={ladders.map((ladder) => [ladder.name, ladder.name === 'source' ? t('ladder.upload.source') : nameOf(ladder)] as const)}
        onValue={onValue}
        hint={t('ladder.upload.hint')}
      />
    </div>
  );
};
