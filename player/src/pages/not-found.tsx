/** An address that leads nowhere. */
import { Missing } from '../parts/states.tsx';
import { useTitle } from '../state/use.ts';
import { t } from '../words/index.ts';

export const NotFoundPage = () => {
  useTitle(t('missing.title'));
  return <Missing title={t('missing.title')} text={t('missing.text')} />;
};
