/** The ways within the administration: the server itself, and the work that it does. */
import { Link } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { t } from '../../words/index.ts';

const ways = [
  ['server', paths.admin],
  ['work', paths.work],
] as const;

export const AdminNav = ({ here }: { here: 'server' | 'work' }) => (
  <nav class="tabs" aria-label={t('work.sections')}>
    {ways.map(([section, to]) => (
      <Link key={section} to={to} {...(section === here ? { 'aria-current': 'page' as const } : {})}>
        {section === 'server' ? t('work.server') : t('work.title')}
      </Link>
    ))}
  </nav>
);
