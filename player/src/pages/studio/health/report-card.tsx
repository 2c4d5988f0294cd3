/** How a broadcast came in, for its owner afterwards: a few numbers, what was wrong, and the whole of it in bars. */
import { api } from '../../../api/endpoints.ts';
import type { HealthReport } from '../../../api/health.ts';
import { spanText } from '../../../lib/format.ts';
import { useLoaded } from '../../../state/use.ts';
import { language, t, tCount } from '../../../words/index.ts';
import { Bars, spread } from './bars.tsx';
import { FindingList } from './findings.tsx';
import { audioText, fpsText, protocolName, rateText, secondsText, videoText } from './numbers.ts';

/** Nothing at all where there is none: an upload, or a broadcast from before reports were kept. */
export const ReportCard = ({ video }: { video: string }) => {
  const report = useLoaded(video, () => api.videoIngest(video));
  const kept = report.now.is === 'here' ? report.now.value.ingest : null;
  return kept && <Report report={kept} />;
};

const Report = ({ report }: { report: HealthReport }) => {
  const { history, findings, sessions, sessionCount, reconnects, gop } = report;
  const rates = history.video.map((bits, at) => bits + (history.audio[at] ?? 0));
  const rate = spread(rates);
  const fps = spread(history.fps);
  const last = sessions.at(-1);
  const [video, audio] = [report.video.at(-1), report.audio.at(-1)];
  const words = (name: string, average: string, least: string, most: string): string => t('health.report.chart.text', { name, average, least, most });
  return (
    <section class="card health" aria-labelledby="report">
      <h2 id="report">{t('health.report.title')}</h2>
      {findings.length === 0 ? (
        <p class="soft">{t('health.report.none')}</p>
      ) : (
        <FindingList
          items={findings.map(({ seconds, times, ...finding }) => ({
            ...finding,
            when: t('health.report.when', { times: tCount('health.report.times', times), time: spanText(language.get(), Math.max(1, seconds)) }),
          }))}
        />
      )}
      <div class="strip" role="group" aria-label={t('health.report.chart')}>
        <Bars
          name={t('health.chart.bitrate')}
          value={rateText(rate.average)}
          numbers={rates}
          text={words(t('health.chart.bitrate'), rateText(rate.average), rateText(rate.least), rateText(rate.most))}
        />
        {video && (
          <Bars
            name={t('health.chart.fps')}
            value={fpsText(Math.round(fps.average))}
            numbers={history.fps}
            text={words(t('health.chart.fps'), fpsText(Math.round(fps.average)), fpsText(fps.least), fpsText(fps.most))}
          />
        )}
      </div>
      <dl class="facts">
        {video && (
          <>
            <dt>{t('health.video')}</dt>
            <dd>{videoText(video)}</dd>
          </>
        )}
        {gop && (
          <>
            <dt>{t('health.gop')}</dt>
            <dd>{t('health.gop.every', { seconds: gop.min === gop.max ? secondsText(gop.min) : `${secondsText(gop.min)}–${secondsText(gop.max)}` })}</dd>
          </>
        )}
        {audio && (
          <>
            <dt>{t('health.audio')}</dt>
            <dd>{audioText(audio)}</dd>
          </>
        )}
        {last && (
          <>
            <dt>{t('health.source')}</dt>
            <dd>
              {protocolName(last.protocol)} · {last.software ?? t('health.source.unknown')}
              <small>
                {tCount('health.broadcast', sessionCount)}
                {reconnects > 0 && ` · ${tCount('health.report.reconnects', reconnects)}`}
              </small>
            </dd>
          </>
        )}
      </dl>
    </section>
  );
};
