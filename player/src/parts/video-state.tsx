/** What is going on with a video, in words: on tiles, in lists, over the picture. */
import type { Progress as Work, Video, VideoError } from '../api/types.ts';
import { failureCodes } from '../api/types.ts';
import { percentText } from '../lib/format.ts';
import { language, t } from '../words/index.ts';
import { Progress } from './progress.tsx';

type Now = Pick<Video, 'state' | 'progress' | 'upload' | 'source'>;

const shareOf = ({ received, size }: { received: number; size: number }): number => (size > 0 ? received / size : 0);

/** It plays, and more of it is still to come. */
export const isGrowing = ({ state, upload }: Pick<Now, 'state' | 'upload'>): boolean =>
  state === 'playable' && upload !== null && upload !== undefined;

/** It plays, and its better qualities are still being made. */
export const isRising = (now: Pick<Now, 'state' | 'upload' | 'progress'>): boolean =>
  now.state === 'playable' && !isGrowing(now) && Boolean(now.progress);

/** 0 to 1; null: nobody knows, or nothing is being done. */
export const shareDone = ({ upload, progress }: Pick<Now, 'progress' | 'upload'>): number | null =>
  upload ? shareOf(upload) : (progress?.done ?? null);

export const workText = ({ step, done }: Work): string =>
  done === null
    ? t(`video.step.${step}`)
    : t('video.work', { step: t(`video.step.${step}`), percent: percentText(language.get(), done) });

export const stateText = ({ state, progress, upload }: Now): string => {
  const percent = upload ? percentText(language.get(), shareOf(upload)) : null;
  switch (state) {
    case 'uploading':
      if (progress) return workText(progress);
      return percent === null ? t('video.state.uploading') : t('video.uploading.at', { percent });
    case 'processing':
      return progress ? workText(progress) : t('video.state.processing');
    case 'playable':
      if (percent !== null) return t('video.growing.at', { percent });
      return progress ? t('video.playable.work', { work: workText(progress) }) : t('video.state.playable');
    default:
      return t(`video.state.${state}`);
  }
};

const looks: Readonly<Record<Video['state'], string>> = {
  scheduled: '',
  uploading: 'work',
  processing: 'work',
  live: 'live',
  playable: 'good',
  ready: 'good',
  failed: 'bad',
};

export const VideoBadge = ({ now }: { now: Now }) => (
  <span class={`badge ${looks[now.state]}`} data-state={now.state}>
    {now.state === 'live' ? t('live.badge') : stateText(now)}
  </span>
);

/** A bar while something is being done, nothing otherwise. */
export const WorkBar = ({ now, label }: { now: Now; label: string }) => {
  const working = now.state === 'uploading' || now.state === 'processing' || isGrowing(now) || Boolean(now.progress);
  return working ? <Progress label={label} share={shareDone(now)} words={stateText(now)} /> : null;
};

/** Why it could not be used, and what to do. The server's own sentence, which is English, only where there is no other. */
export const failureText = ({ code, message }: VideoError): string => {
  const known = failureCodes.find((other) => other === code);
  // Of videos that failed before there were the others, this code stands for whatever went wrong with a fetch.
  if (known && known !== 'import-failed') return t(`failure.${known}`);
  const words = known ? t('failure.import-failed') : t('failure.unknown');
  return message === '' ? words : `${words} ${t('failure.said', { detail: message })}`;
};

/** What whoever made a video has to know of it: it cannot be used, or there will be no better quality of it. Null: all is well. */
export const troubleText = ({ state, error, progress }: Pick<Video, 'state' | 'error' | 'progress'>): string | null => {
  if (!error) return null;
  if (state === 'failed') return failureText(error);
  return state === 'playable' && !progress ? `${t('video.noBetter')} ${failureText(error)}` : null;
};
