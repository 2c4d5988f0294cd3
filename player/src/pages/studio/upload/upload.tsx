/** Files on their way in: chosen or dropped here, sent while one goes on with other pages, described meanwhile. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../../api/endpoints.ts';
import type { Account } from '../../../api/types.ts';
import { bytesText, percentText, spanText } from '../../../lib/format.ts';
import { Button } from '../../../parts/button.tsx';
import { OnlyFor } from '../../../parts/only-for.tsx';
import { Heading } from '../../../parts/title.tsx';
import { useLoaded, useTitle } from '../../../state/use.ts';
import type { UploadItem } from '../../../upload/index.ts';
import { language, t } from '../../../words/index.ts';
import { StudioNav } from '../nav.tsx';
import { DropZone } from './drop.tsx';
import { ImportCard, Imports } from './import.tsx';
import { UploadCard } from './item.tsx';
import { LadderChoice } from './ladder-choice.tsx';
import { queue, useQueue } from './queue.ts';
import { UnfinishedUploads } from './unfinished.tsx';

export const UploadPage = () => (
  <OnlyFor
    roles={['admin', 'creator']}
    refusal={{ title: t('studio.forbidden.title'), text: t('studio.forbidden.text') }}
  >
    {() => <Uploads />}
  </OnlyFor>
);

const moves = ({ state }: UploadItem): boolean => state.is === 'sending' || state.is === 'waiting' || state.is === 'preparing' || state.is === 'verifying';
const isOver = ({ state, now }: UploadItem): boolean =>
  state.is === 'cancelled' || (state.is === 'done' && (now === null || now.state === 'ready' || now.state === 'failed'));

const Uploads = () => {
  const items = useQueue();
  const { size, sent } = queue.totals();
  const under = items.filter(moves);
  const percent = percentText(language.get(), size > 0 ? sent / size : 0);
  useTitle(under.length > 0 ? t('upload.title.under', { percent }) : t('upload.title'));
  const [ladder, setLadder] = useState<string | null>(null);
  const account = useLoaded('me', () => api.me());
  // Each that begins or ends changes how much room is left.
  const promised = items.map(({ video, state }) => `${video} ${state.is === 'cancelled'}`).join(' ');
  useEffect(account.reload, [promised]);
  const add = (files: readonly File[]): void => {
    for (const file of files) {
      // Chosen again after it failed: it is tried once more, and not there twice.
      const failed = queue.items().find((item) => item.state.is === 'failed' && item.filename === file.name && item.size === file.size);
      if (failed) queue.forget(failed.key);
    }
    queue.add(files, ladder === null ? {} : { ladder });
  };
  return (
    <main id="main">
      <StudioNav here="upload" />
      <Heading>{t('upload.title')}</Heading>
      <DropZone small={items.length > 0} onFiles={add}>
        {account.now.is === 'here' && <Limits account={account.now.value} />}
        <LadderChoice value={ladder} onValue={setLadder} />
      </DropZone>
      {items.length > 0 && (
        <section class="section" aria-labelledby="uploads">
          <div class="page-head">
            <div>
              <h2 id="uploads">{t('upload.list')}</h2>
              {under.length > 0 && <Total />}
            </div>
            {items.some(isOver) && (
              <Button
                slim
                onPress={() => {
                  for (const { key } of items.filter(isOver)) queue.forget(key);
                }}
              >
                {t('upload.clear')}
              </Button>
            )}
          </div>
          <ul class="uploads">
            {items.map((item) => (
              <UploadCard key={item.key} item={item} />
            ))}
          </ul>
        </section>
      )}
      <UnfinishedUploads onFiles={add} />
      <Imports />
      <ImportCard ladder={ladder} onChanged={account.reload} />
    </main>
  );
};

const Total = () => {
  const { size, sent, speed, remaining } = queue.totals();
  const tongue = language.get();
  const facts = [
    t('upload.total', { percent: percentText(tongue, size > 0 ? sent / size : 0), size: bytesText(tongue, size) }),
    ...(speed === null ? [] : [t('upload.speed', { size: bytesText(tongue, speed) })]),
    ...(remaining === null ? [] : [t('upload.left', { time: spanText(tongue, remaining) })]),
  ];
  return (
    <>
      <p class="small soft">{facts.join(' · ')}</p>
      <p class="small soft">{t('upload.stays')}</p>
    </>
  );
};

const Limits = ({ account }: { account: Account }) => {
  const tongue = language.get();
  const { limit, used = 0, maxUpload } = account;
  const room = typeof limit === 'number' ? Math.max(0, limit - used) : null;
  const quota = typeof limit === 'number' ? bytesText(tongue, limit) : '';
  return (
    <div class="small soft drop-limits">
      <p>
        {maxUpload !== undefined && t('upload.limit', { size: bytesText(tongue, maxUpload) })}{' '}
        {room !== null && room > 0 && t('upload.room', { room: bytesText(tongue, room), quota })}
      </p>
      {room === 0 && <p class="notice warn">{t('upload.room.full', { quota })}</p>}
      <p>{t('upload.formats')}</p>
    </div>
  );
};
