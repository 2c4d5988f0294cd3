/** The way to a video that plays, perhaps before all of it has arrived, and its address to hand on. */
import { useRef } from 'preact/hooks';
import type { Video } from '../../../api/types.ts';
import { CopyButton } from '../../../parts/copy-field.tsx';
import { isGrowing, isRising } from '../../../parts/video-state.tsx';
import { Link } from '../../../router.tsx';
import { paths } from '../../../routes.ts';
import { t } from '../../../words/index.ts';

/** As much of it as has arrived; all of it, in the quality that was prepared first; or as it is going to be. */
type Plays = 'growing' | 'low' | 'whole';

export const playsAs = (now: Pick<Video, 'state' | 'progress' | 'upload'>): Plays => (isGrowing(now) ? 'growing' : isRising(now) ? 'low' : 'whole');

const words = { growing: 'upload.plays', low: 'upload.playsLow', whole: 'upload.ready' } as const;

type Props = {
  video: string;
  name: string;
  plays: Plays;
  /** Nobody else may watch it. */
  closed: boolean;
};

export const WatchLink = ({ video, name, plays, closed }: Props) => {
  const shown = useRef<HTMLElement>(null);
  const address = location.origin + paths.watch(video);
  return (
    <div class="notice calm upload-plays">
      <p>
        {t(words[plays])} {closed && t('upload.private')}
      </p>
      <code ref={shown}>{address}</code>
      <div class="row">
        <Link class="button slim primary" to={paths.watch(video)} aria-label={t('upload.watchNamed', { name })}>
          {t('upload.watch')}
        </Link>
        <CopyButton
          name={t('upload.link', { name })}
          wide
          slim
          text={async () => address}
          onByHand={() => shown.current && getSelection()?.selectAllChildren(shown.current)}
        />
      </div>
    </div>
  );
};
