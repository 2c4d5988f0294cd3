/** What is on now, and what was on lately. Empty, it tells the next step. */
import { api } from '../api/endpoints.ts';
import type { Channel, Video } from '../api/types.ts';
import { Empty, Failed, SkeletonTiles } from '../parts/states.tsx';
import { LiveTile, VideoTile } from '../parts/tiles.tsx';
import { Heading } from '../parts/title.tsx';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { session } from '../state/session.ts';
import { useEvery, useLoaded, useStore, useTitle } from '../state/use.ts';
import { t } from '../words/index.ts';

type Shelf = { live: readonly Channel[]; recent: readonly Video[]; names: ReadonlyMap<string, string> };

const load = async (): Promise<Shelf> => {
  const [channels, videos] = await Promise.all([api.channels(), api.videos()]);
  return {
    live: channels.items.filter((channel) => channel.live !== null),
    // What could not be used is told to its owner in the studio.
    recent: videos.items.filter(({ state }) => state !== 'live' && state !== 'failed'),
    names: new Map(channels.items.map((channel) => [channel.id, channel.name])),
  };
};

const NothingYet = () => {
  const who = useStore(session);
  const setup = useLoaded('setup', () => api.setup());
  if (setup.now.is === 'here' && setup.now.value.needed)
    return <Empty title={t('setup.title')} text={t('home.empty.setup')} />;
  const creates = who.is === 'someone' && who.account.role !== 'viewer';
  return (
    <Empty title={t('home.empty.title')} text={t(creates ? 'home.empty.creator' : 'home.empty.visitor')}>
      {creates && (
        <Link class="button primary" to={paths.studio}>
          {t('home.empty.action')}
        </Link>
      )}
      {creates && (
        <Link class="button" to={paths.upload}>
          {t('studio.upload')}
        </Link>
      )}
      {who.is === 'nobody' && (
        <Link class="button" to={paths.login()}>
          {t('frame.signIn')}
        </Link>
      )}
    </Empty>
  );
};

export const HomePage = () => {
  useTitle('');
  const shelf = useLoaded('home', load);
  useEvery(10_000, shelf.reload);
  return (
    <main id="main">
      <Heading hidden>{t('home.title')}</Heading>
      {shelf.now.is === 'loading' && <SkeletonTiles />}
      {shelf.now.is === 'failed' && <Failed problem={shelf.now.problem} onRetry={shelf.reload} />}
      {shelf.now.is === 'here' && <Shelves {...shelf.now.value} />}
    </main>
  );
};

const Shelves = ({ live, recent, names }: Shelf) => {
  if (live.length === 0 && recent.length === 0) return <NothingYet />;
  return (
    <>
      <section class="section" aria-labelledby="live-now">
        <h2 id="live-now">{t('home.live')}</h2>
        {live.length === 0 && <p class="soft">{t('home.quiet')}</p>}
        {live.length > 0 && (
          <ul class="tiles now">
            {live.map((channel) => (
              <LiveTile key={channel.id} channel={channel} />
            ))}
          </ul>
        )}
      </section>
      {recent.length > 0 && (
        <section class="section" aria-labelledby="recent">
          <h2 id="recent">{t('home.recent')}</h2>
          <ul class="tiles">
            {recent.map((video) => (
              <VideoTile key={video.id} video={video} by={names.get(video.channelId ?? '')} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
};
