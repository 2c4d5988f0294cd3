/** What is encoded beside what a channel sends, with what each choice gives and what it takes of this server. */
import { api } from '../../api/endpoints.ts';
import type { Ladder, Ladders, Rung } from '../../api/types.ts';
import { ChoiceField } from '../../parts/field.tsx';
import { bitRateText, decimal, heightsText, listText } from '../../lib/format.ts';
import { useLoaded } from '../../state/use.ts';
import { language, t } from '../../words/index.ts';

/** Those that come with the server have names in every language. */
const known = ['light', 'standard'] as const;
const sizeOf = ({ height, mostPictures }: Rung): string => `${height}p${mostPictures ?? ''}`;

export const nameOf = ({ name, rungs }: Ladder): string => {
  if (name === 'source') return t('ladder.source');
  if (name === 'auto') return t('ladder.auto');
  const usual = known.find((one) => one === name);
  return t('ladder.named', { name: usual ? t(`ladder.named.${usual}`) : name, heights: heightsText(rungs.map(({ height }) => height)) });
};

/** Rungs that are not below 1080p are no part of what was reckoned. */
const reckoned = ({ rungs }: Ladder): readonly Rung[] => rungs.filter(({ height }) => height < 1080);

/** The highest go first. */
const tooMuch = (ladder: Ladder): readonly Rung[] => {
  const { carried } = ladder;
  const wanted = reckoned(ladder);
  return carried === null ? [] : wanted.slice(0, Math.max(0, wanted.length - carried));
};

const givesText = ({ name, rungs, cores }: Ladder): string => {
  if (name === 'source') return t('ladder.source.text');
  if (name !== 'auto') return t('ladder.rungs');
  if (cores === null) return t('ladder.auto.text');
  return `${t('ladder.auto.text')} ${t(rungs.length > 0 ? 'ladder.auto.would' : 'ladder.auto.nothing')}`;
};

const Rungs = ({ ladder }: { ladder: Ladder }) => (
  <ul class="rungs">
    {ladder.rungs.map((rung) => (
      <li key={rung.height}>
        <strong>{sizeOf(rung)}</strong> <span>{bitRateText(language.get(), rung.bitRate)}</span>
        {tooMuch(ladder).includes(rung) && <span class="caution">{t('ladder.tooMuch.rung')}</span>}
      </li>
    ))}
  </ul>
);

type Cores = Ladders['cores'];

/** What there is not enough of is said as a warning: what follows from it is not what was chosen. */
const warningOf = (ladder: Ladder, { free }: Cores): string | null => {
  const out = tooMuch(ladder);
  if (out.length > 0 && out.length === reckoned(ladder).length) return t('ladder.tooMuch.all');
  if (out.length > 0) return t('ladder.tooMuch', { heights: listText(language.get(), out.map(({ height }) => `${height}p`)) });
  return ladder.name !== 'auto' && (ladder.cores ?? 0) > free ? t('ladder.busy') : null;
};

const Cost = ({ ladder, cores: { total, free } }: { ladder: Ladder; cores: Cores }) => {
  const tongue = language.get();
  if (ladder.cores === null) return <p class="hint">{t('ladder.cost.unknown')}</p>;
  const warning = warningOf(ladder, { total, free });
  return (
    <>
      <p class="hint">{t('ladder.cost', { cores: decimal(tongue, ladder.cores, 1), total: decimal(tongue, total, 2), free: decimal(tongue, free, 2) })}</p>
      {warning !== null && <p class="caution">{warning}</p>}
    </>
  );
};

type Props = {
  /** Absent: the server knows of no ladders. */
  value: string | undefined;
  onValue: (value: string) => void;
  /** A channel that is there already: a change waits for the next broadcast. */
  later: boolean;
};

/** Where nothing but the source can be had there is nothing to choose. */
export const LadderField = ({ value, onValue, later }: Props) => {
  const { now } = useLoaded('ladders', api.ladders);
  if (value === undefined || now.is !== 'here' || now.value.items.length < 2) return null;
  const { items, cores } = now.value;
  const chosen = items.find(({ name }) => name === value);
  const gone = chosen ? [] : [[value, t('ladder.gone', { name: value })] as const];
  return (
    <ChoiceField
      label={t('ladder.label')}
      name="ladder"
      value={value}
      options={[...items.map((ladder) => [ladder.name, nameOf(ladder)] as const), ...gone]}
      onValue={onValue}
      hint={chosen ? givesText(chosen) : t('ladder.gone.text')}
      more={
        <>
          {chosen && chosen.rungs.length > 0 && <Rungs ladder={chosen} />}
          {chosen && chosen.name !== 'source' && <Cost ladder={chosen} cores={cores} />}
          {later && <p class="hint">{t('ladder.next')}</p>}
        </>
      }
    />
  );
};
