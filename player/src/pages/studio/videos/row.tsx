/** One of one's own videos: how it looks, what it is called, how far it is, and what can be done with it. */
import { useState } from 'preact/hooks';
import type { Video } from '../../../api/types.ts';
import { bytesText, dateOf, lengthText } from '../../../lib/format.ts';
import { Button } from '../../../parts/button.tsx';
import { Water } from '../../../parts/cover.tsx';
import { Icon } from '../../../parts/icons.tsx';
import { since } from '../../../parts/since.ts';
import { useFootingWhenGone } from '../../../parts/title.tsx';
import { usePointing, VideoPicture } from '../../../parts/video-picture.tsx';
import { troubleText, VideoBadge, WorkBar } from '../../../parts/video-state.tsx';
import { Link } from '../../../router.tsx';
import { paths } from '../../../routes.ts';
import { language, t } from '../../../words/index.ts';
import { visibilityText } from '../choices.ts';
import { EditVideo, RemoveVideo } from '../edit-video.tsx';

type Props = { video: Video; onChanged: (video: Video) => void; onRemoved: () => void };

export const VideoRow = ({ video, onChanged, onRemoved }: Props) => {
  const [open, setOpen] = useState<'edit' | 'remove' | null>(null);
  const pointing = usePointing();
  useFootingWhenGone();
  const name = video.title || t('home.untitled');
  const bytes = Math.max(video.bytes ?? 0, video.originalBytes ?? 0);
  const trouble = troubleText(video);
  const when = video.startedAt ?? video.createdAt;
  return (
    <li class="video-row" data-video={video.id} {...pointing.handlers}>
      <div class="cover">
        <Water name={video.id} />
        <VideoPicture video={video} moves={pointing.on} />
        {video.duration !== null && video.state !== 'live' && <span class="length">{lengthText(video.duration)}</span>}
      </div>
      <div class="video-facts">
        <h2>
          <Link to={paths.watch(video.id)}>{name}</Link>
        </h2>
        <p class="row small soft">
          <VideoBadge now={video} />
          <span>{visibilityText(video.visibility)}</span>
          {bytes > 0 && <span>{bytesText(language.get(), bytes)}</span>}
          <time dateTime={dateOf(when).toISOString()}>{since(when)}</time>
        </p>
        <WorkBar now={video} label={t('upload.progress', { name })} />
        {trouble !== null && <p class="small bad">{trouble}</p>}
      </div>
      <div class="row video-actions">
        {video.state === 'uploading' && video.source === 'upload' && (
          <Link class="button slim" to={paths.upload}>
            {t('videos.continue')}
          </Link>
        )}
        <Button slim aria-label={t('videos.editNamed', { name })} onPress={() => setOpen('edit')}>
          <Icon name="pen" />
          {t('videos.edit')}
        </Button>
        {/* A show that is on is ended first, and then removed. */}
        {video.state !== 'live' && (
          <Button slim aria-label={t('videos.removeNamed', { name })} onPress={() => setOpen('remove')}>
            <Icon name="bin" />
            {t('videos.remove')}
          </Button>
        )}
      </div>
      {open === 'edit' && <EditVideo video={video} onClose={() => setOpen(null)} onChanged={onChanged} />}
      {open === 'remove' && <RemoveVideo video={video} onClose={() => setOpen(null)} onRemoved={onRemoved} />}
    </li>
  );
};
