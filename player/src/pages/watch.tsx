/** One video and what is known about it. */
import { api } from '../api/endpoints.ts';
import { StateBadge } from '../parts/badge.tsx';
import { since } from '../parts/since.ts';
import { Missing } from '../parts/states.tsx';
import { Heading } from '../parts/title.tsx';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { useLoaded, useTitle } from '../state/use.ts';
import { t } from '../words/index.ts';
import { useVideo, VideoStage } from './video-stage.tsx';

export const WatchPage = ({ id }: { id: string }) => {
  const parts = useVideo(id);
  const video = parts.record.now.is === 'here' ? parts.record.now.value : null;
  const missing = parts.record.now.is === 'failed' && parts.record.now.problem.hidden;
  const title = video ? video.title || t('home.untitled') : missing ? t('video.missing.title') : '';
  useTitle(title);
  const channelId = video?.channelId ?? null;
  const channel = useLoaded(channelId, () => api.channel(channelId ?? ''));
  if (missing) return <Missing title={title} text={t('video.missing.text')} signIn />;
  return (
    <main id="main">
      <div class="watch">
        <VideoStage id={id} {...parts} />
        <div class="page-head">
          <div>
            <Heading>{title}</Heading>
            <p class="row soft">
              {video?.state === 'live' && <StateBadge state="live" />}
              {channel.now.is === 'here' && (
                <Link to={paths.channel(channel.now.value.name)}>@{channel.now.value.name}</Link>
              )}
              {video && <span>{since(video.startedAt ?? video.createdAt)}</span>}
            </p>
          </div>
        </div>
      </div>
    </main>
  );
};
