/** One video and what is known about it. */
import { ago } from '../lib/format.ts';
import { StateBadge } from '../parts/badge.tsx';
import { Heading } from '../parts/title.tsx';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { useTitle } from '../state/use.ts';
import { language, t } from '../words/index.ts';
import { useVideo, VideoStage } from './video-stage.tsx';

export const WatchPage = ({ id }: { id: string }) => {
  const parts = useVideo(id);
  const video = parts.record.now.is === 'here' ? parts.record.now.value : null;
  const missing = parts.record.now.is === 'failed';
  const title = video ? video.title || t('home.untitled') : missing ? t('video.missing.title') : '';
  useTitle(title);
  const when = video?.startedAt ?? video?.createdAt;
  return (
    <main id="main">
      <div class="watch">
        <VideoStage id={id} {...parts} />
        <div class="page-head">
          <div>
            <Heading>{title}</Heading>
            <p class="row soft">
              {video?.state === 'live' && <StateBadge state="live" />}
              {video?.channel && <Link to={paths.channel(video.channel.name)}>{video.channel.title || `@${video.channel.name}`}</Link>}
              {when !== undefined && <span>{ago(language.get(), when, Date.now())}</span>}
            </p>
          </div>
        </div>
      </div>
    </main>
  );
};
