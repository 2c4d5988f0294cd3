/** How a channel or a video is protected, with what each choice means; and at it, why the server would not. */
import { useRef } from 'preact/hooks';
import type { ApiProblem } from '../../api/problem.ts';
import { protections } from '../../api/types.ts';
import type { Protection } from '../../api/types.ts';
import { ChoiceField } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { t } from '../../words/index.ts';

const options = (): readonly (readonly [Protection, string])[] => protections.map((protection) => [protection, t(`protection.${protection}`)] as const);

/** It is said at the field, and nowhere else. */
export const isAboutProtection = (problem: ApiProblem | null): boolean => problem?.fields.includes('protection') ?? false;

type Props = {
  /** Absent: the server knows of no protection. */
  value: Protection | undefined;
  onValue: (value: Protection) => void;
  /** When a change takes effect. */
  when: 'protection.next' | 'protection.now' | null;
  problem?: ApiProblem | null;
};

export const ProtectionField = ({ value, onValue, when, problem = null }: Props) => {
  const refused = useRef<{ problem: ApiProblem | null; value: Protection | undefined }>({ problem: null, value });
  if (refused.current.problem !== problem) refused.current = { problem, value };
  if (value === undefined) return null;
  // Another choice is another question.
  const fault = problem && isAboutProtection(problem) && refused.current.value === value;
  const words = (): string => (problem?.code === 'video-is-live' ? t('protection.live') : problem ? problemText(problem) : '');
  return (
    <ChoiceField
      label={t('protection.label')}
      name="protection"
      value={value}
      options={options()}
      onValue={onValue}
      hint={[t(`protection.${value}.text`), ...(when ? [t(when)] : [])].join(' ')}
      fault={fault ? words() : null}
    />
  );
};
