/** The ways within the studio: what is live, what is kept, what is on its way in. */
import { Link } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { t } from '../../words/index.ts';

type Section = 'channels' | 'videos' | 'upload';

const ways = [
  ['channels', paths.studio],
  ['videos', paths.videos],
  ['upload', paths.upload],
] as const satisfies readonly (readonly [Section, string])[];

export const StudioNav = ({ here }: { here: Section }) => (
  <nav class="tabs" aria-label={t('studio.sections')}>
    {ways.map(([section, to]) => (
      <Link key={section} to={to} {...(section === here ? { 'aria-current': 'page' as const } : {})}>
        {t(`studio.${section}`)}
      </Link>
    ))}
  </nav>
);
