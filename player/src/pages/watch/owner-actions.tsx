/** What the owner of a video can do with it whatever its state: change what is said of it, remove it. */
import { useState } from 'preact/hooks';
import type { Video } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Icon } from '../../parts/icons.tsx';
import { navigate } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { t } from '../../words/index.ts';
import { EditVideo, RemoveVideo } from '../studio/edit-video.tsx';

export const OwnerActions = ({ video, onChanged }: { video: Video; onChanged: (video: Video) => void }) => {
  const [open, setOpen] = useState<'edit' | 'remove' | null>(null);
  return (
    <>
      <Button onPress={() => setOpen('edit')}>
        <Icon name="pen" />
        {t('videos.edit')}
      </Button>
      {video.state !== 'live' && (
        <Button onPress={() => setOpen('remove')}>
          <Icon name="bin" />
          {t('videos.remove')}
        </Button>
      )}
      {open === 'edit' && <EditVideo video={video} onClose={() => setOpen(null)} onChanged={onChanged} />}
      {open === 'remove' && (
        <RemoveVideo video={video} onClose={() => setOpen(null)} onRemoved={() => navigate(paths.videos)} />
      )}
    </>
  );
};
