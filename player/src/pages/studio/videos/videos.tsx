/** One's own videos: found, described, removed, and how far each is. */
import { videoStates } from '../../../api/types.ts';
import { Button } from '../../../parts/button.tsx';
import { ChoiceField, TextField } from '../../../parts/field.tsx';
import { Icon } from '../../../parts/icons.tsx';
import { OnlyFor } from '../../../parts/only-for.tsx';
import { Empty, Failed, Skeleton } from '../../../parts/states.tsx';
import { Heading } from '../../../parts/title.tsx';
import { Link } from '../../../router.tsx';
import { paths } from '../../../routes.ts';
import { useAgain, useTitle } from '../../../state/use.ts';
import { t } from '../../../words/index.ts';
import { StudioNav } from '../nav.tsx';
import { VideoRow } from './row.tsx';
import { useMyVideos } from './use-videos.ts';
import { everything, useWanted } from './wanted.ts';

export const VideosPage = () => (
  <OnlyFor
    roles={['admin', 'creator']}
    refusal={{ title: t('studio.forbidden.title'), text: t('studio.forbidden.text') }}
  >
    {() => <Videos />}
  </OnlyFor>
);

const ToUpload = () => (
  <Link class="button primary" to={paths.upload}>
    <Icon name="upload" />
    {t('studio.upload')}
  </Link>
);

const Videos = () => {
  useTitle(t('videos.title'));
  useAgain(60_000); // "5 minutes ago" grows old
  const { typed, wanted, want } = useWanted();
  const list = useMyVideos(wanted);
  const asked = wanted.text !== '' || wanted.state !== null;
  const none = list.videos?.length === 0;
  return (
    <main id="main">
      <StudioNav here="videos" />
      <div class="page-head">
        <div>
          <Heading>{t('videos.title')}</Heading>
          <p class="soft">{t('videos.text')}</p>
        </div>
        {!(none && !asked) && <ToUpload />}
      </div>
      {(asked || !none) && (
        <search class="filters">
          <TextField
            label={t('videos.search')}
            name="q"
            type="search"
            value={typed.text}
            onValue={(text) => want({ ...typed, text })}
            maxLength={200}
          />
          <ChoiceField
            label={t('videos.state')}
            name="state"
            value={typed.state ?? 'all'}
            options={(['all', ...videoStates] as const).map((state) => [state, t(`videos.state.${state}`)] as const)}
            onValue={(state) => want({ ...typed, state: state === 'all' ? null : state })}
          />
        </search>
      )}
      {list.problem && <Failed problem={list.problem} onRetry={list.reload} />}
      {list.videos === null && !list.problem && <Skeleton height="5.5rem" />}
      {none && !asked && (
        <Empty title={t('videos.empty.title')} text={t('videos.empty.text')}>
          <ToUpload />
          <Link class="button" to={paths.studio}>
            {t('studio.channels')}
          </Link>
        </Empty>
      )}
      {none && asked && (
        <Empty title={t('videos.none.title')} text={t('videos.none.text')}>
          <Button onPress={() => want(everything)}>{t('videos.none.action')}</Button>
        </Empty>
      )}
      {list.videos !== null && list.videos.length > 0 && (
        <ul class="video-rows">
          {list.videos.map((video) => (
            <VideoRow key={video.id} video={video} onChanged={list.replace} onRemoved={() => list.remove(video.id)} />
          ))}
        </ul>
      )}
      {list.hasMore && (
        <div class="form-foot">
          <Button busy={list.loadingMore} onPress={list.more}>
            {t(list.loadingMore ? 'videos.more.doing' : 'videos.more')}
          </Button>
        </div>
      )}
    </main>
  );
};
