/** A page whose code is loaded when somebody goes there. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../words/index.ts';
import { Button } from './button.tsx';
import { Skeleton } from './states.tsx';

/** After an update of the server the old file names are gone: only loading the page again helps. */
const Outdated = () => (
  <div class="row">
    <p>{t('frame.newVersion')}</p>
    <Button look="primary" onPress={() => location.reload()}>
      {t('frame.reload')}
    </Button>
  </div>
);

export const lazy = <P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> => {
  let loaded: ComponentType<P> | null = null;
  let loading: Promise<ComponentType<P>> | null = null;
  return (props: P) => {
    const [Page, setPage] = useState<{ is: ComponentType<P> | null }>({ is: loaded });
    const [failed, setFailed] = useState(false);
    // Asked for while rendering, not after: an effect waits for a paint, and for whatever the processor does until then.
    if (!loaded) loading ??= load();
    useEffect(() => {
      let current = true;
      loading?.then(
        (page) => {
          loaded = page;
          if (current) setPage({ is: page });
        },
        () => {
          loading = null;
          if (current) setFailed(true);
        },
      );
      return () => {
        current = false;
      };
    }, []);
    if (Page.is) return <Page.is {...props} />;
    return <main id="main">{failed ? <Outdated /> : <Skeleton />}</main>;
  };
};
