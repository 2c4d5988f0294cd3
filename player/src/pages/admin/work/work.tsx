/** What the server does behind videos: how much waits, what runs and where, and each job with what can be done about it. */
import { useEffect, useState } from 'preact/hooks';
import { followWork } from '../../../api/follow-browser.ts';
import type { WorkNow } from '../../../api/work.ts';
import { OnlyFor } from '../../../parts/only-for.tsx';
import { Skeleton } from '../../../parts/states.tsx';
import { Heading } from '../../../parts/title.tsx';
import { useTitle } from '../../../state/use.ts';
import { t } from '../../../words/index.ts';
import { AdminNav } from '../nav.tsx';
import { Jobs } from './jobs.tsx';
import { Queue } from './queue.tsx';
import { Running } from './running.tsx';
import { Workers } from './workers.tsx';

export const WorkPage = () => (
  <OnlyFor roles={['admin']} refusal={{ title: t('admin.forbidden.title'), text: t('admin.forbidden.text') }}>
    {() => <Work />}
  </OnlyFor>
);

/** Without a socket nobody tells the counts: what was known of them is not shown on as if it were so. */
const useWork = (): WorkNow | null => {
  const [now, setNow] = useState<WorkNow | null>(null);
  useEffect(() => followWork(setNow), []);
  return now;
};

const Work = () => {
  useTitle(t('work.title'));
  const now = useWork();
  return (
    <main id="main">
      <AdminNav here="work" />
      <div class="page-head">
        <div>
          <Heading>{t('work.title')}</Heading>
          <p class="soft">{t('work.text')}</p>
        </div>
      </div>
      {now === null ? (
        <Skeleton lines={3} height="8rem" />
      ) : (
        <>
          <Queue counts={now.counts} />
          <Running jobs={now.running} workers={now.workers} />
          <Workers workers={now.workers} />
        </>
      )}
      <Jobs now={now} />
    </main>
  );
};
