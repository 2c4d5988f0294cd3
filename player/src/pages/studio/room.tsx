/** One channel as its host sees it: the picture, the state, how the stream comes in, the key, the settings, the end. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { ChannelNow } from '../../api/follow.ts';
import type { Channel } from '../../api/types.ts';
import { StateBadge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Notice } from '../../parts/field.tsx';
import { Icon } from '../../parts/icons.tsx';
import { OnlyFor } from '../../parts/only-for.tsx';
import { Empty, Failed, problemText, Skeleton } from '../../parts/states.tsx';
import { viewersText } from '../../parts/tiles.tsx';
import { Heading } from '../../parts/title.tsx';
import { toast } from '../../parts/toasts.tsx';
import { Link } from '../../router.tsx';
import { paths } from '../../routes.ts';
import { useSending } from '../../state/use-form.ts';
import { useLoaded, useTitle } from '../../state/use.ts';
import { t } from '../../words/index.ts';
import { fromRecord, useChannelNow } from '../channel-live.ts';
import { LinksCard } from '../links.tsx';
import { LiveStage } from '../live-stage.tsx';
import { ConnectCard, FfmpegCard } from './connect.tsx';
import { DetailsCard } from './details.tsx';
import { EncoderCard } from './encoder-card.tsx';
import { HealthCard } from './health/health-card.tsx';
import { RefusedCard } from './refused-card.tsx';
import { TitleCard } from './title-card.tsx';
import { useChannelKey } from './use-key.ts';

export const RoomPage = ({ id }: { id: string }) => (
  <OnlyFor
    roles={['admin', 'creator']}
    refusal={{ title: t('studio.forbidden.title'), text: t('studio.forbidden.text') }}
  >
    {() => <LoadedRoom id={id} />}
  </OnlyFor>
);

const LoadedRoom = ({ id }: { id: string }) => {
  const record = useLoaded(id, () => api.channel(id));
  useTitle(record.now.is === 'here' ? record.now.value.title : t('studio.title'));
  const missing = record.now.is === 'failed' && record.now.problem.status === 404;
  return (
    <main id="main">
      {record.now.is === 'loading' && <Skeleton lines={4} height="6rem" />}
      {missing && <Empty title={t('channel.missing.title')} text={t('problem.notFound')} whole />}
      {record.now.is === 'failed' && !missing && <Failed problem={record.now.problem} onRetry={record.reload} />}
      {record.now.is === 'here' && <Room channel={record.now.value} onChanged={record.replace} />}
    </main>
  );
};

const Room = ({ channel, onChanged }: { channel: Channel; onChanged: (channel: Channel) => void }) => {
  const now = useChannelNow(channel.name, channel) ?? fromRecord(channel);
  const streamKey = useChannelKey(channel.id);
  const change = (changed: Channel): void => onChanged({ ...channel, ...changed });
  return (
    <>
      <div class="page-head">
        <div>
          <Link class="row small" to={paths.studio}>
            <Icon name="back" />
            {t('studio.back')}
          </Link>
          <Heading>{channel.title || channel.name}</Heading>
          <p class="row soft">
            <StateBadge state={now.state} />
            <span>@{channel.name}</span>
            {now.state === 'live' && <span>{viewersText(now.viewers)}</span>}
          </p>
        </div>
        <div class="row actions">
          <a class="button" href={paths.channel(channel.name)} target="_blank" rel="noopener">
            <Icon name="open" />
            {t('room.openPage')}
          </a>
          {(now.state === 'live' || now.state === 'waiting') && <EndButton channel={channel} />}
        </div>
      </div>
      <div class="room">
        <div>
          <section aria-label={t('room.preview')}>
            <Preview channel={channel} now={now} />
          </section>
          <TitleCard channel={channel} onChanged={change} />
          <HealthCard channel={channel.name} />
          <ConnectCard channel={channel} streamKey={streamKey} />
          <RefusedCard channel={channel.id} />
          <FfmpegCard channel={channel} streamKey={streamKey} />
        </div>
        <div>
          <DetailsCard channel={channel} onChanged={change} />
          {channel.visibility !== 'public' && <LinksCard to={{ kind: 'channel', id: channel.id }} open={channel.visibility === 'unlisted'} />}
          <EncoderCard />
        </div>
      </div>
    </>
  );
};

const Preview = ({ channel, now }: { channel: Channel; now: ChannelNow }) => (
  <LiveStage
    name={channel.name}
    now={now}
    muted
    voice="host"
  />
);

const EndButton = ({ channel }: { channel: Channel }) => {
  const [asking, setAsking] = useState(false);
  const sending = useSending();
  const end = (): void =>
    sending.run(async () => {
      try {
        await api.endBroadcast(channel.id);
        toast(t('room.ended'));
      } finally {
        setAsking(false);
      }
    });
  return (
    <>
      <Button look="danger" onPress={() => setAsking(true)}>
        <Icon name="stop" />
        {t('room.end')}
      </Button>
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
      {asking && (
        <Confirm
          title={t('room.end.ask.title')}
          text={t('room.end.ask.text')}
          yes={t('room.end')}
          busy={sending.busy}
          onYes={end}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
};
