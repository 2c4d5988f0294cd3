/** What is wrong, or was: a sentence and a fix each. */
import type { ComponentChildren } from 'preact';
import type { Severity } from '../../../api/health.ts';
import { t } from '../../../words/index.ts';
import { findingWords } from './finding-words.ts';

const looks: Readonly<Record<Severity, string>> = { error: 'bad', warning: 'warn', info: '' };

type FindingItem = { readonly code: string; readonly severity: Severity; readonly params: Readonly<Record<string, string | number>>; readonly when: string };

export const FindingList = ({ items }: { items: readonly FindingItem[] }) => (
  <ul class="findings">
    {items.map(({ code, severity, params, when }) => {
      const { what, fix } = findingWords(code, params);
      return (
        <li key={code} class={severity} data-finding={code}>
          <p class="row small">
            <SeverityBadge severity={severity}>{t(`health.severity.${severity}`)}</SeverityBadge>
            <span class="soft">{when}</span>
          </p>
          <p>{what}</p>
          <p class="soft">{fix}</p>
        </li>
      );
    })}
  </ul>
);

const SeverityBadge = ({ severity, children }: { severity: Severity; children: ComponentChildren }) => (
  <span class={`badge ${looks[severity]}`}>{children}</span>
);
