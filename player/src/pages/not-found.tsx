/** An address that leads nowhere. */
import { Empty } from '../parts/states.tsx';
import { Heading } from '../parts/title.tsx';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { useTitle } from '../state/use.ts';
import { t } from '../words/index.ts';

export const NotFoundPage = () => {
  useTitle(t('missing.title'));
  return (
    <main id="main">
      <Heading hidden>{t('missing.title')}</Heading>
      <Empty title={t('missing.title')} text={t('missing.text')}>
        <Link class="button primary" to={paths.home}>
          {t('missing.action')}
        </Link>
      </Empty>
    </main>
  );
};
