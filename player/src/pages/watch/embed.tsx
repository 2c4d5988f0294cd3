/** The player alone, for a frame on somebody else's page. */
import { Heading } from '../../parts/title.tsx';
import { useTitle } from '../../state/use.ts';
import { useVideo } from './use-video.ts';
import { VideoStage } from './video-stage.tsx';

export const EmbedPage = ({ id }: { id: string }) => {
  const parts = useVideo(id);
  const title = parts.record.now.is === 'here' ? parts.record.now.value.title : '';
  useTitle(title);
  return (
    <main id="main">
      <Heading hidden>{title}</Heading>
      <VideoStage id={id} {...parts} fill />
    </main>
  );
};
