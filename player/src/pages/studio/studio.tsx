/** My channels. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Channel } from '../../api/types.ts';
import { StateBadge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Water } from '../../parts/cover.tsx';
import { LivePicture } from '../../parts/live-picture.tsx';
import { Icon } from '../../parts/icons.tsx';
import { OnlyFor } from '../../parts/only-for.tsx';
import { Empty, Failed, SkeletonTiles } from '../../parts/states.tsx';
import { viewersText } from '../../parts/tiles.tsx';
import { Heading } from '../../parts/title.tsx';
import { Link, navigate } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { useEvery, useLoaded, useTitle } from '../../state/use.ts';
import { t } from '../../words/index.ts';
import { CreateChannel } from './create.tsx';
import { StudioNav } from './nav.tsx';

export const StudioPage = () => (
  <OnlyFor
    roles={['admin', 'creator']}
    refusal={{ title: t('studio.forbidden.title'), text: t('studio.forbidden.text') }}
  >
    {() => <Channels />}
  </OnlyFor>
);

const Channels = () => {
  useTitle(t('studio.title'));
  const [creating, setCreating] = useState(false);
  const channels = useLoaded('mine', () => api.myChannels());
  useEvery(10_000, channels.reload);
  const items = channels.now.is === 'here' ? channels.now.value.items : [];
  return (
    <main id="main">
      <StudioNav here="channels" />
      <div class="page-head">
        <div>
          <Heading>{t('studio.title')}</Heading>
          <p class="soft">{t('studio.text')}</p>
        </div>
        {items.length > 0 && (
          <Button look="primary" onPress={() => setCreating(true)}>
            <Icon name="plus" />
            {t('studio.new')}
          </Button>
        )}
      </div>
      {channels.now.is === 'loading' && <SkeletonTiles />}
      {channels.now.is === 'failed' && <Failed problem={channels.now.problem} onRetry={channels.reload} />}
      {channels.now.is === 'here' && items.length === 0 && (
        <Empty title={t('studio.empty.title')} text={t('studio.empty.text')}>
          <Button look="primary" onPress={() => setCreating(true)}>
            <Icon name="plus" />
            {t('studio.new')}
          </Button>
        </Empty>
      )}
      <ul class="tiles">
        {items.map((channel) => (
          <ChannelTile key={channel.id} channel={channel} />
        ))}
      </ul>
      {creating && (
        <CreateChannel
          onClose={() => setCreating(false)}
          onCreated={(channel) => navigate(paths.studioChannel(channel.id))}
        />
      )}
    </main>
  );
};

const ChannelTile = ({ channel }: { channel: Channel }) => (
  <li class="tile">
    <div class="cover">
      <Water name={channel.name} />
      {channel.live && <LivePicture key={channel.live.videoId} channel={channel} />}
      <StateBadge state={channel.live ? 'live' : 'offline'} />
    </div>
    <Link to={paths.studioChannel(channel.id)}>{channel.title || channel.name}</Link>
    <p>
      @{channel.name}
      {channel.live && ` · ${viewersText(channel.live.viewers)}`}
    </p>
  </li>
);
