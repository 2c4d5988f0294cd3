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

/** What these mean depends on what only the server knows: where from, how large, how long. */
const toldByTheServer: readonly string[] = ['import-failed', 'no-room', 'took-too-long'];

/** Why it could not be used, and what to do. Of what it fetched by itself the server has more to say. */
export const failureText = ({ code, message }: VideoError, source?: Video['source']): string => {
  const known = failureCodes.find((other) => other === code);
  const words = known ? t(`failure.${known}`) : t('failure.unknown');
  const more = !known || toldByTheServer.includes(known) || source === 'import';
  return more && message !== '' ? `${words} ${t('failure.said', { detail: message })}` : words;
};
