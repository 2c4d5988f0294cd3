/** What goes into OBS: server, key, and the SRT address for those who need it. */
import { useState } from 'preact/hooks';
import type { Channel, StreamKey } from '../../api/types.ts';
import { ago } from '../../lib/format.ts';
import { ffmpegCommand } from '../../lib/encoder.ts';
import { Button } from '../../parts/button.tsx';
import { CopyButton, CopyField } from '../../parts/copy-field.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Notice } from '../../parts/field.tsx';
import { Failed, problemText, Skeleton } from '../../parts/states.tsx';
import { useSending } from '../../state/use-form.ts';
import { language, t } from '../../words/index.ts';
import type { ChannelKey } from './use-key.ts';

const mask = '••••••••••••••••••••';

/** The server's mask may show a few letters at the end, by which a person tells keys apart. */
const masked = (key: StreamKey): string => (key.masked === '' ? mask : key.masked);

/** The SRT address holds the key: written with the key that is shown, or with a mask in its place. */
const srtAddress = (template: string, key: string): string =>
  /streamid=/i.test(template) ? template.replace(/(streamid=)[^&]*/i, (_all, start: string) => `${start}${key}`) : template;

export const ConnectCard = ({ channel, streamKey }: { channel: Channel; streamKey: ChannelKey }) => {
  const server = channel.ingest?.rtmp.server ?? '';
  const srt = channel.ingest?.srt?.url;
  const { list, shown } = streamKey;
  return (
    <section class="card" aria-labelledby="connect">
      <header>
        <h2 id="connect">{t('room.connect')}</h2>
        <p class="small soft">{t('room.connect.text')}</p>
      </header>
      <CopyField label={t('room.server')} name="server" value={server} />
      {list.now.is === 'loading' && <Skeleton lines={1} />}
      {list.now.is === 'failed' && <Failed problem={list.now.problem} onRetry={list.reload} />}
      {list.now.is === 'here' && list.now.value === null && <NoKey streamKey={streamKey} />}
      {list.now.is === 'here' && list.now.value !== null && (
        <>
          <CopyField label={t('room.key')} name="key" value={shown ?? masked(list.now.value)} reveal={streamKey.bring}>
            <KeyActions streamKey={streamKey} current={list.now.value} />
          </CopyField>
          {srt !== undefined && (
            <CopyField
              label={t('room.srt')}
              name="srt"
              value={srtAddress(srt, shown ?? mask)}
              hint={t('room.srt.hint')}
              reveal={async () => {
                const key = await streamKey.bring();
                return key === null ? null : srtAddress(srt, encodeURIComponent(key));
              }}
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
      <Button slim aria-expanded={streamKey.shown !== null} onPress={() => (streamKey.shown === null ? void streamKey.show() : streamKey.hide())}>
        {streamKey.shown === null ? t('room.key.reveal') : t('room.key.hide')}
      </Button>
      <Button slim onPress={() => setAsking(true)}>
        {t('room.key.rotate')}
      </Button>
      <span>
        {current.lastUsedAt === null
          ? t('room.key.neverUsed')
          : t('room.key.lastUsed', { ago: ago(language.get(), current.lastUsedAt, Date.now()) })}
      </span>
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
        {ffmpegCommand(server, streamKey.shown ?? t('room.ffmpeg.placeholder'))}
      </pre>
      <div class="row">
        <CopyButton
          name={t('room.ffmpeg')}
          wide
          onByHand={select}
          text={async () => {
            const key = await streamKey.bring();
            return key === null ? null : ffmpegCommand(server, key);
          }}
        />
      </div>
    </section>
  );
};
