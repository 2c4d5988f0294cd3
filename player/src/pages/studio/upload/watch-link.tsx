/** The way to a video that plays, perhaps before all of it has arrived, and its address to hand on. */
import { useRef } from 'preact/hooks';
import { CopyButton } from '../../../parts/copy-field.tsx';
import { Link } from '../../../router.tsx';
import { paths } from '../../../routes.ts';
import { t } from '../../../words/index.ts';

type Props = {
  video: string;
  name: string;
  /** All of it has arrived. */
  whole: boolean;
  /** Nobody else may watch it. */
  closed: boolean;
};

export const WatchLink = ({ video, name, whole, closed }: Props) => {
  const shown = useRef<HTMLElement>(null);
  const address = location.origin + paths.watch(video);
  return (
    <div class="notice calm upload-plays">
      <p>
        {t(whole ? 'upload.ready' : 'upload.plays')} {closed && t('upload.private')}
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
