/** What is happening to a file, in words. Pure, but for the language. */
import { isWatchable } from '../../../api/follow-video.ts';
import type { VideoNow } from '../../../api/follow-video.ts';
import { bytesText, percentText, spanText } from '../../../lib/format.ts';
import { stateText } from '../../../parts/video-state.tsx';
import type { UploadItem, UploadReason } from '../../../upload/index.ts';
import { language, t } from '../../../words/index.ts';
import type { PlainKey } from '../../../words/fill.ts';

export const reasons: Readonly<Record<UploadReason, PlainKey>> = {
  'empty-file': 'upload.why.empty-file',
  'file-unreadable': 'upload.why.file-unreadable',
  'already-here': 'upload.why.already-here',
  'too-large': 'upload.why.too-large',
  'quota-exceeded': 'upload.why.quota-exceeded',
  'disk-full': 'upload.why.disk-full',
  'too-many': 'upload.why.too-many',
  'not-usable': 'upload.why.not-usable',
  'not-allowed': 'upload.why.not-allowed',
  'signed-out': 'upload.why.signed-out',
  gone: 'upload.why.gone',
  taken: 'upload.why.taken',
  'proxy-refuses': 'upload.why.proxy-refuses',
  'damaged-on-the-way': 'upload.why.damaged-on-the-way',
  unexpected: 'upload.why.unexpected',
};

/** What the server says of a file that has been sent: how much it had counted of it a moment ago says nothing any more. */
export const sentNow = ({ state, now }: UploadItem): VideoNow | null => (state.is === 'done' && now ? { ...now, upload: null } : null);

/** Sent, and nobody has looked at it yet. */
const justSent = (now: VideoNow): boolean => now.state === 'uploading' && now.progress === null;

/** In a word or two, for the badge. */
export const itemState = (item: UploadItem): string => {
  const { state } = item;
  if (state.is === 'sending' && state.line !== 'good') return t(`upload.is.${state.line}`);
  // The server goes on with it: what it does counts more than that all of it has been sent.
  const now = sentNow(item);
  if (now && !justSent(now)) return stateText(now);
  return t(`upload.is.${state.is}`);
};

/** The same for whoever listens: without figures, which would be read out with every per cent. */
export const itemNews = (item: UploadItem): string => {
  const now = sentNow(item);
  if (now && now.state !== 'failed' && !justSent(now))
    return now.progress ? t(`video.step.${now.progress.step}`) : t(`video.state.${now.state}`);
  return itemState(item);
};

export type Look = 'work' | 'good' | 'bad' | 'warn' | 'calm';

export const itemLook = ({ state, now }: UploadItem): Look => {
  if (state.is === 'failed' || now?.state === 'failed') return 'bad';
  if (state.is === 'sending') return state.line === 'good' ? 'work' : 'warn';
  if (state.is === 'done') return now && !isWatchable(now) ? 'work' : 'good';
  return state.is === 'verifying' || state.is === 'preparing' ? 'work' : 'calm';
};

/** "42% · 500 MB of 1.2 GB · 12 MB/s · 3 minutes left" */
export const itemFacts = ({ sent, size, speed, remaining, state }: UploadItem): readonly string[] => {
  const tongue = language.get();
  const moves = state.is === 'sending' && state.line === 'good';
  return [
    percentText(tongue, size > 0 ? sent / size : 0),
    t('upload.of', { sent: bytesText(tongue, sent), size: bytesText(tongue, size) }),
    ...(moves && speed !== null ? [t('upload.speed', { size: bytesText(tongue, speed) })] : []),
    ...(moves && remaining !== null ? [t('upload.left', { time: spanText(tongue, remaining) })] : []),
  ];
};
