/** What stands in the place of the picture while there is none: the video is on its way, is prepared, or cannot be used. */
import type { Video } from '../../api/types.ts';
import { Progress } from '../../parts/progress.tsx';
import { failureText, shareDone, stateText } from '../../parts/video-state.tsx';
import { Link } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { StageWords } from '../../stage/over.tsx';
import { t } from '../../words/index.ts';

const Far = ({ video }: { video: Video }) => {
  const words = stateText(video);
  return (
    <div class="stage-work">
      <Progress label={t('video.progress')} share={shareDone(video)} words={words} />
      {/* The bar says the same to readers, and a region that speaks with every per cent would drown the rest. */}
      <span class="small" aria-hidden="true">
        {words}
      </span>
    </div>
  );
};

export const ArrivingWords = ({ video }: { video: Video }) => {
  const own = video.ownerId !== undefined;
  switch (video.state) {
    case 'failed':
      if (!own || !video.error)
        return <StageWords title={t('video.failed.title')} text={t('video.failed.text')} water={video.id} />;
      return (
        <StageWords title={t('video.failed.title')} text={failureText(video.error)} water={video.id}>
          <div class="row">
            <Link class="button primary" to={paths.upload}>
              {t('video.failed.again')}
            </Link>
          </div>
        </StageWords>
      );
    case 'processing':
      return (
        <StageWords title={t('video.processing.title')} text={t('video.processing.text')} water={video.id}>
          <Far video={video} />
        </StageWords>
      );
    case 'uploading': {
      // What the server fetches by itself needs nobody.
      const sends = own && video.source !== 'import';
      return (
        <StageWords
          title={t('video.uploading.title')}
          text={sends ? t('video.uploading.own') : t('video.uploading.text')}
          water={video.id}
        >
          <Far video={video} />
          {sends && (
            <div class="row">
              <Link class="button" to={paths.upload}>
                {t('video.uploading.open')}
              </Link>
            </div>
          )}
        </StageWords>
      );
    }
    default:
      return <StageWords title={t('video.notYet.title')} text={t('video.notYet.text')} water={video.id} />;
  }
};
