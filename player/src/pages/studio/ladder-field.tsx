/** What is encoded beside what a channel sends, with what each choice gives and what it takes of this server. */
import { api } from '../../api/endpoints.ts';
import type { Ladder } from '../../api/types.ts';
import { ChoiceField } from '../../parts/field.tsx';
import { bitRateText } from '../../lib/format.ts';
import { useLoaded } from '../../state/use.ts';
import { language, t } from '../../words/index.ts';

const listed = (words: readonly string[]): string => new Intl.ListFormat(language.get(), { type: 'conjunction' }).format(words);
const rungsText = ({ rungs }: Ladder): string =>
  listed(rungs.map(({ height, bitRate }) => t('ladder.rung', { height, rate: bitRateText(language.get(), bitRate) })));

const nameOf = ({ name, rungs }: Ladder): string => {
  if (name === 'source') return t('ladder.source');
  if (name === 'auto') return t('ladder.auto');
  return t('ladder.named', { name, heights: rungs.map(({ height }) => `${height}p`).join(', ') });
};

const costText = ({ cores, carried, rungs, name }: Ladder): readonly string[] => {
  if (cores === null || carried === null) return [t('ladder.cost.unknown')];
  if (name === 'auto' && rungs.length === 0) return [];
  const cost = t('ladder.cost', { cores: new Intl.NumberFormat(language.get(), { maximumFractionDigits: 1 }).format(cores) });
  // Rungs that are not below 1080p are no part of what was reckoned.
  const wanted = rungs.filter(({ height }) => height < 1080).length;
  if (carried >= wanted) return [cost];
  return [cost, carried === 0 ? t('ladder.tooMuch.all') : t('ladder.tooMuch', { count: carried })];
};

const givesText = (ladder: Ladder): readonly string[] => {
  if (ladder.name !== 'auto') return [t('ladder.rungs', { rungs: rungsText(ladder) })];
  if (ladder.cores === null) return [t('ladder.auto.text')];
  return [t('ladder.auto.text'), ladder.rungs.length > 0 ? t('ladder.auto.would', { rungs: rungsText(ladder) }) : t('ladder.auto.nothing')];
};

const hintOf = (ladder: Ladder): readonly string[] =>
  ladder.name === 'source' ? [t('ladder.source.text')] : [...givesText(ladder), ...costText(ladder)];

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
  const { items } = now.value;
  const chosen = items.find(({ name }) => name === value);
  const gone = chosen ? [] : [[value, t('ladder.gone', { name: value })] as const];
  return (
    <ChoiceField
      label={t('ladder.label')}
      name="ladder"
      value={value}
      options={[...items.map((ladder) => [ladder.name, nameOf(ladder)] as const), ...gone]}
      onValue={onValue}
      hint={[...(chosen ? hintOf(chosen) : []), ...(later ? [t('ladder.next')] : [])].join(' ')}
    />
  );
};
