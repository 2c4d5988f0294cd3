/** Who wanted to stream and was not let in: to the admin all of them, to an owner those with a key of his channel. */
import type { Attempt } from '../api/types.ts';
import { t } from '../words/index.ts';
import { refusedBecause } from './refused-because.ts';
import { since } from './since.ts';

/** `channels`: whether it is said whose key it was. */
export const AttemptTable = ({ attempts, channels }: { attempts: readonly Attempt[]; channels: boolean }) => (
  <div class="table-wrap">
    <table>
      <thead>
        <tr>
          <th scope="col">{t('attempts.when')}</th>
          <th scope="col">{t('attempts.why')}</th>
          <th scope="col">{t('attempts.from')}</th>
          {channels && <th scope="col">{t('attempts.channel')}</th>}
          <th scope="col">{t('attempts.key')}</th>
        </tr>
      </thead>
      <tbody>
        {attempts.map((attempt) => (
          <tr key={`${attempt.reason} ${attempt.protocol} ${attempt.address} ${attempt.keyFingerprint}`}>
            <td>
              {since(attempt.lastAt)}
              {attempt.count > 1 && <small class="soft"> · {t('attempts.count', { count: attempt.count })}</small>}
            </td>
            <td>
              {refusedBecause(attempt.reason)}
              {attempt.detail !== null && <small class="soft"> {attempt.detail}</small>}
            </td>
            <td>
              {attempt.address} <small class="soft">{senderOf(attempt)}</small>
            </td>
            {channels && <td>{attempt.channel === null ? '' : `@${attempt.channel.name}`}</td>}
            <td>
              <code>{attempt.keyFingerprint}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** What an encoder calls itself is its own affair: shown, and no more than a line of it. */
const senderOf = ({ protocol, software }: Attempt): string =>
  [protocol.toUpperCase(), ...(software === null ? [] : [software.slice(0, 60)])].join(' · ');
