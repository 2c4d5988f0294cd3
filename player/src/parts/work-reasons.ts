/** Why work behind a video did not come to an end, in words. */
import { enWork } from '../words/en-work.ts';
import { t } from '../words/index.ts';
import { failureText } from './video-state.tsx';
import type { Behind } from './work-words.ts';

/** What the queue itself says of jobs. */
const sentences = {
  'What it needs is not done.': 'work.because.need',
  'Its worker vanished too often.': 'work.because.vanished',
} as const;

/** `code: sentence`, where whoever worked on it had a code; the sentence is English, and said where there is nothing better. */
export const reasonText = (reason: string): string => {
  const usual = Object.entries(sentences).find(([sentence]) => sentence === reason)?.[1];
  if (usual) return t(usual);
  // For work behind a video that plays: whoever sent the file need not send another one.
  const [, code = '', message = reason] = /^([a-z][a-z-]*[a-z]): (.*)$/s.exec(reason) ?? [];
  const key = `work.because.${code as Behind<'work.because'>}` as const;
  if (Object.hasOwn(enWork, key)) return t(key);
  return failureText({ code, message: code === '' ? reason : message });
};
