/** The settings that "Custom…" in OBS does not set by itself, beside the key where they are needed. */
import { recommendations } from '../../lib/encoder.ts';
import { t } from '../../words/index.ts';

export const EncoderCard = () => (
  <section class="card" aria-labelledby="encoder">
    <header>
      <h2 id="encoder">{t('room.settings')}</h2>
      <p class="small soft">{t('room.settings.text')}</p>
    </header>
    <dl class="facts">
      <dt>{t('room.settings.codec')}</dt>
      <dd>{t('room.settings.codec.value')}</dd>
      <dt>{t('room.settings.keyframe')}</dt>
      <dd>
        <strong>{t('room.settings.keyframe.value')}</strong>
        <small>{t('room.settings.keyframe.why')}</small>
      </dd>
      <dt>{t('room.settings.rate')}</dt>
      <dd>
        <abbr>{rateControl}</abbr>
      </dd>
      <dt>{t('room.settings.bitrate')}</dt>
      <dd>
        {recommendations.map(({ picture, bitrate }) => (
          <div key={picture}>{t('room.settings.bitrate.value', { picture, bitrate })}</div>
        ))}
      </dd>
      <dt>{t('room.settings.bframes')}</dt>
      <dd>
        {bFrames}
        <small>{t('room.settings.bframes.why')}</small>
      </dd>
      <dt>{t('room.settings.audio')}</dt>
      <dd>{t('room.settings.audio.value')}</dd>
    </dl>
  </section>
);

/** As OBS names them in every language. */
const rateControl = 'CBR';
const bFrames = 2;
