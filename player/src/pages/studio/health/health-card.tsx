/** How the stream comes in: what is wrong with it, the last minute, the numbers. */
import { useEffect, useState } from 'preact/hooks';
import { followHealth } from '../../../api/follow-browser.ts';
import type { Health } from '../../../api/health.ts';
import { dateOf, heightsText, spanText } from '../../../lib/format.ts';
import { language, t, tCount } from '../../../words/index.ts';
import { Bars, spread } from './bars.tsx';
import { FindingList } from './findings.tsx';
import { audioText, fpsText, numberText, protocolName, rateText, secondsText, videoText } from './numbers.ts';

const useHealth = (channel: string): Health | null => {
  const [health, setHealth] = useState<Health | null>(null);
  useEffect(() => {
    setHealth(null);
    return followHealth(channel, setHealth);
  }, [channel]);
  return health;
};

export const HealthCard = ({ channel }: { channel: string }) => {
  const health = useHealth(channel);
  const { session = null, findings = [], minute = null } = health ?? {};
  const said = findings.length > 0;
  return (
    <section class="card health" aria-labelledby="health">
      <header class="row">
        <h2 id="health">{t('health.title')}</h2>
        {/* Only that there is something is read out: its numbers change each second. */}
        <span role="status">{health && (session || said) && <Verdict health={health} />}</span>
      </header>
      {health && minute && said && (
        <FindingList
          items={findings.map(({ since, ...finding }) => ({
            ...finding,
            when: t('health.since', { time: spanText(language.get(), Math.max(1, (dateOf(minute.until).getTime() - dateOf(since).getTime()) / 1000)) }),
          }))}
        />
      )}
      {health && !session && !said && <p class="soft">{t('health.none')}</p>}
      {health && session && !said && health.video?.gop.last != null && <p class="soft">{t('health.good.text')}</p>}
      {health && session && minute && <LastMinute health={health} minute={minute} />}
      {health && session && <Numbers health={health} session={session} />}
    </section>
  );
};

const Verdict = ({ health: { session, video, findings } }: { health: Health }) => {
  const worst = findings[0]?.severity;
  if (worst) return <span class={`badge ${worst === 'error' ? 'bad' : worst === 'warning' ? 'warn' : ''}`}>{tCount('health.problems', findings.length)}</span>;
  // Before the second key frame nobody knows how it will be.
  const early = session && video && video.gop.last === null;
  return <span class={`badge ${early ? '' : 'good'}`}>{early ? t('health.checking') : t('health.good')}</span>;
};

const LastMinute = ({ health: { video }, minute }: { health: Health; minute: NonNullable<Health['minute']> }) => {
  const rates = minute.video.map((bits, at) => bits + (minute.audio[at] ?? 0));
  const rate = spread(rates);
  const fps = spread(minute.frames);
  const ends = { from: t('health.chart.oldest'), to: t('health.chart.newest') };
  const words = (name: string, now: string, least: string, most: string): string => t('health.chart.text', { name, now, least, most });
  const rateNow = rateText(rates.at(-1) ?? 0);
  const fpsNow = fpsText(video?.fps ?? minute.frames.at(-1) ?? 0);
  return (
    <div class="strip" role="group" aria-label={t('health.chart')}>
      <Bars
        name={t('health.chart.bitrate')}
        value={rateNow}
        numbers={rates}
        text={words(t('health.chart.bitrate'), rateNow, rateText(rate.least), rateText(rate.most))}
        {...(video ? {} : ends)}
      />
      {video && (
        <Bars
          name={t('health.chart.fps')}
          value={fpsNow}
          numbers={minute.frames}
          text={words(t('health.chart.fps'), fpsNow, numberText(fps.least), numberText(fps.most))}
          {...ends}
        />
      )}
    </div>
  );
};

const Numbers = ({ health: { video, audio, arrival, srt, broadcast, ladder }, session }: { health: Health; session: NonNullable<Health['session']> }) => (
  <dl class="facts">
    {video && (
      <>
        <dt>{t('health.video')}</dt>
        <dd>
          {videoText(video)}
          <small>{rateText(video.bitrate)}</small>
        </dd>
        <dt>{t('health.gop')}</dt>
        <dd>
          {video.gop.last === null ? t('health.gop.wait') : t('health.gop.every', { seconds: secondsText(video.gop.last) })}
          {video.gop.min !== null && video.gop.max !== null && secondsText(video.gop.min) !== secondsText(video.gop.max) && (
            <small>{t('health.gop.range', { least: secondsText(video.gop.min), most: secondsText(video.gop.max) })}</small>
          )}
        </dd>
      </>
    )}
    {audio && (
      <>
        <dt>{t('health.audio')}</dt>
        <dd>
          {audioText(audio)}
          <small>{rateText(audio.bitrate)}</small>
        </dd>
      </>
    )}
    {ladder && (
      <>
        <dt>{t('health.ladder')}</dt>
        <dd>
          {ladder.encoding.length > 0 ? heightsText(ladder.encoding) : t('health.ladder.none')}
          {ladder.shed.length > 0 && <small>{t('health.ladder.shed', { heights: heightsText(ladder.shed) })}</small>}
          {ladder.leftOut.length > 0 && <small>{t('health.ladder.leftOut', { heights: heightsText(ladder.leftOut) })}</small>}
        </dd>
      </>
    )}
    <dt>{t('health.source')}</dt>
    <dd>
      {protocolName(session.protocol)} · {session.software ?? t('health.source.unknown')}
      {arrival && <small>{t('health.arrival.text', { ms: numberText(arrival.jitter) })}</small>}
      {broadcast && broadcast.sessions > 1 && <small>{tCount('health.broadcast', broadcast.sessions)}</small>}
    </dd>
    {srt && (
      <>
        <dt>{t('health.line')}</dt>
        <dd>
          {t('health.line.facts', { rtt: numberText(Math.ceil(srt.rtt)), latency: numberText(srt.latency) })}
          {srt.encrypted && ` · ${t('health.line.encrypted')}`}
          <small>{t('health.line.loss', { packets: numberText(srt.packets), lost: numberText(srt.lost), dropped: numberText(srt.dropped) })}</small>
        </dd>
      </>
    )}
  </dl>
);
