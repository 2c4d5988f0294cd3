/** What this build cannot do yet is refused in words, instead of taken and ignored. */
import type { Abilities } from '../hooks.ts';
import { Problem } from '../kit/problem.ts';

type Wanted = { readonly visibility?: string; readonly protection?: string; readonly ladder?: string };

export const mustBeAble = ({ visibilities, protections, ladders }: Abilities, of: keyof Abilities['ladders'], { visibility, protection, ladder }: Wanted): void => {
  const check = (field: string, value: string | undefined, able: readonly string[]): void => {
    if (value === undefined || able.includes(value)) return;
    const detail = `\`${field}\`: "${value}" is not available on this server; ${able.map((name) => `"${name}"`).join(', ')} ${able.length === 1 ? 'is' : 'are'}.`;
    throw new Problem('not-available', detail, { errors: [{ field, detail }] });
  };
  check('visibility', visibility, visibilities);
  check('protection', protection, protections);
  check('ladder', ladder, ladders[of]);
};
