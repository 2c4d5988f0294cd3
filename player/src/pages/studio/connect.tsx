/** What goes into OBS: server, key, and the SRT address for those who need it. */
import { useState } from 'preact/hooks';
import type { Channel, StreamKey } from '../../api/types.ts';
import { ffmpegCommand } from '../../lib/encoder.ts';
import { Button } from '../../parts/button.tsx';
import { CopyButton, CopyField } from '../../parts/copy-field.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Notice } from '../../parts/field.tsx';
import { since } from '../../parts/since.ts';
import { Failed, problemText, Skeleton } from '../../parts/states.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';
import { KeyNetworks } from './key-networks.tsx';
import type { ChannelKey } from './use-key.ts';

const mask = '••••••••••••••••••••';

/** Without the key the address ends where the key would begin. */
const hiddenSrt = (url: string): string => `${url}?streamid=${mask}`;

export const ConnectCard = ({ channel, streamKey }: { channel: Channel; streamKey: ChannelKey }) => {
  const server = channel.ingest?.rtmp.server ?? '';
  const rtmps = channel.ingest?.rtmps ?? null;
  const srt = channel.ingest?.srt ?? null;
  const { list, shown } = streamKey;
  return (
    <section class="card" aria-labelledby="connect">
      <header>
        <h2 id="connect">{t('room.connect')}</h2>
        <p class="small soft">{t('room.connect.text')}</p>
      </header>
      <CopyField label={t('room.server')} name="server" value={server} />
      {rtmps && <CopyField label={t('room.rtmps')} name="rtmps" value={rtmps.server} hint={t('room.rtmps.hint')} />}
      {list.now.is === 'loading' && <Skeleton lines={1} />}
      {list.now.is === 'failed' && <Failed problem={list.now.problem} onRetry={list.reload} />}
      {list.now.is === 'here' && list.now.value === null && <NoKey streamKey={streamKey} />}
      {list.now.is === 'here' && list.now.value !== null && (
        <>
          <CopyField
            label={t('room.key')}
            name="key"
            value={shown?.streamKey ?? mask}
            reveal={async () => (await streamKey.bring())?.streamKey ?? null}
          >
            <KeyActions streamKey={streamKey} current={list.now.value} />
          </CopyField>
          {srt && (
            <CopyField
              label={t('room.srt')}
              name="srt"
              value={shown?.ingest.srt?.url ?? hiddenSrt(srt.url)}
              hint={t('room.srt.hint')}
              reveal={async () => (await streamKey.bring())?.ingest.srt?.url ?? null}
            />
          )}
          {list.now.value.allowedNetworks && (
            <KeyNetworks
              channel={channel.id}
              current={list.now.value}
              networks={list.now.value.allowedNetworks}
              onChanged={streamKey.changed}
            />
          )}
        </>
      )}
      <Notice kind="warn">{t('room.key.warning')}</Notice>
    </section>
  );
};

const NoKey = ({ streamKey }: { streamKey: ChannelKey }) => {
  const sending = useSending();
  return (
    <div class="row">
      <span>{t('room.key.none')}</span>
      <Button slim busy={sending.busy} onPress={() => sending.run(streamKey.rotate)}>
        {t('room.key.rotate')}
      </Button>
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
    </div>
  );
};

const KeyActions = ({ streamKey, current }: { streamKey: ChannelKey; current: StreamKey }) => {
  const [asking, setAsking] = useState(false);
  const sending = useSending();
  const rotate = (): void =>
    sending.run(async () => {
      try {
        await streamKey.rotate();
      } finally {
        setAsking(false);
      }
    });
  return (
    <div class="row small soft">
      <Button
        slim
        aria-expanded={streamKey.shown !== null}
        onPress={() => (streamKey.shown === null ? void streamKey.show() : streamKey.hide())}
      >
        {streamKey.shown === null ? t('room.key.reveal') : t('room.key.hide')}
      </Button>
      <Button slim onPress={() => setAsking(true)}>
        {t('room.key.rotate')}
      </Button>
      <span>{t('room.key.made', { ago: since(current.createdAt) })}</span>
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
      {asking && (
        <Confirm
          title={t('room.key.rotate.title')}
          text={t('room.key.rotate.text')}
          yes={t('room.key.rotate.do')}
          busy={sending.busy}
          onYes={rotate}
          onNo={() => setAsking(false)}
        />
      )}
    </div>
  );
};

export const FfmpegCard = ({ channel, streamKey }: { channel: Channel; streamKey: ChannelKey }) => {
  const server = channel.ingest?.rtmp.server ?? '';
  const select = (): void => {
    const shown = document.querySelector('#ffmpeg-command');
    if (shown) getSelection()?.selectAllChildren(shown);
  };
  return (
    <section class="card" aria-labelledby="ffmpeg">
      <header>
        <h2 id="ffmpeg">{t('room.ffmpeg')}</h2>
        <p class="small soft">{t('room.ffmpeg.text')}</p>
      </header>
      <pre class="code" id="ffmpeg-command" tabIndex={0}>
        {ffmpegCommand(server, streamKey.shown?.streamKey ?? t('room.ffmpeg.placeholder'))}
      </pre>
      <div class="row">
        <CopyButton
          name={t('room.ffmpeg')}
          wide
          onByHand={select}
          text={async () => {
            const key = await streamKey.bring();
            return key && ffmpegCommand(server, key.streamKey);
          }}
        />
      </div>
    </section>
  );
};
