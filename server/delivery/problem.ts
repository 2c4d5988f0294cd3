/** Errors as RFC 9457 problem documents, with a code for programs and a sentence for people. */
import { isRefusal, refusals } from '../auth/grant-refusals.ts';
import { cacheControl, common, type RawHeaders } from './headers.ts';

export type Problem = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryAfter?: number;
  readonly headers?: RawHeaders;
};

const titles: Record<number, string> = {
  400: 'Bad request',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  416: 'Range not satisfiable',
  500: 'Internal error',
  503: 'Not available now',
};

export const problemAnswer = (problem: Problem): { readonly headers: RawHeaders; readonly body: Buffer } => {
  const { status, code, detail } = problem;
  const body = Buffer.from(JSON.stringify({ type: 'about:blank', title: titles[status] ?? 'Error', status, code, detail }));
  const headers = [...common, 'Content-Type', 'application/problem+json', 'Content-Length', String(body.length), 'Cache-Control', cacheControl.never];
  if (problem.retryAfter !== undefined) headers.push('Retry-After', String(problem.retryAfter));
  if (problem.headers) headers.push(...problem.headers);
  return { headers, body };
};

/** A grant that does not open this. */
export const refusedGrant = (code: string): Problem => ({ status: 403, code, detail: isRefusal(code) ? refusals[code] : 'This grant does not open this.' });

export const problems = {
  badPath: { status: 400, code: 'bad-path', detail: 'This is not an address below /play/.' },
  badStart: { status: 400, code: 'bad-start', detail: 'start is a number of seconds, at most a week, given once; below zero from the end.' },
  unknown: { status: 404, code: 'not-found', detail: 'There is nothing at this address.' },
  notLive: { status: 404, code: 'not-live', detail: 'Nothing is live on this channel now.', retryAfter: 2 },
  notLiveYet: { status: 404, code: 'not-live-yet', detail: 'Nothing of this video can be played yet.', retryAfter: 1 },
  stopping: { status: 503, code: 'stopping', detail: 'The server is stopping. Ask again in a moment.', retryAfter: 2 },
  noTrack: { status: 404, code: 'no-such-track', detail: 'This video has no such track.' },
  noPicture: { status: 404, code: 'no-picture', detail: 'There is no picture of this video: it is not live, or has only just begun.' },
  notMade: { status: 404, code: 'no-picture', detail: 'There is no such picture of this video, or not yet.' },
  noChapters: { status: 404, code: 'no-chapters', detail: 'This video has no chapters.' },
  noTransport: { status: 404, code: 'ts-not-carried', detail: 'MPEG-TS carries H.264 and AAC, and this is something else. The same in fragmented MP4 plays in HLS and DASH.' },
  noCbcs: { status: 404, code: 'cbcs-not-carried', detail: 'This video is to be protected by cbcs, which is for H.264 and AAC, and it is something else.' },
  noCbcsHere: { status: 404, code: 'cbcs-not-carried', detail: 'This video is protected by cbcs, and this part of it cannot be.' },
  noDash: { status: 404, code: 'dash-not-protected', detail: 'This video is protected by AES-128, which is for HLS. DASH comes with cbcs.' },
  noSealedTransport: { status: 404, code: 'ts-not-protected', detail: 'This video is protected by cbcs, which is for fragmented MP4. HLS in MPEG-TS comes with AES-128.' },
  noKey: { status: 404, code: 'no-such-key', detail: 'This video has no such key.' },
  keysLate: { status: 503, code: 'keys-late', detail: 'The keys of this video did not come in time.', retryAfter: 5 },
  keysFailed: { status: 503, code: 'keys-failed', detail: 'The keys of this video could not be had.', retryAfter: 5 },
  keysUnusable: { status: 503, code: 'keys-unusable', detail: 'What was given for the keys of this video is of no use.', retryAfter: 5 },
  badLicence: { status: 400, code: 'bad-licence-request', detail: 'A licence is asked for with a small JSON object that names keys: {"kids":["…"]}.' },
  downloadProtected: { status: 403, code: 'download-protected', detail: 'This video is protected, and cannot be downloaded.' },
  height: { status: 403, code: 'height-limit', detail: 'This grant does not reach up to this picture height.' },
  otherRun: { status: 404, code: 'other-run', detail: 'This file belongs to another run of the stream.' },
  downloadNotAllowed: { status: 403, code: 'download-not-allowed', detail: 'This video may be watched, and not downloaded.' },
  stillLive: { status: 409, code: 'still-live', detail: 'The show goes on. It can be downloaded when it has ended.' },
  stillUploading: { status: 404, code: 'still-uploading', detail: 'The video is still arriving: until all of it is there it is played by HLS.', retryAfter: 10 },
  notWhole: { status: 409, code: 'still-uploading', detail: 'The video is still arriving. It can be downloaded when all of it is there.', retryAfter: 10 },
  trimmed: { status: 404, code: 'trimmed', detail: 'This lies outside of what is shown of this video.' },
  gap: { status: 404, code: 'gap', detail: 'Nothing was encoded for this span.' },
  notYet: { status: 404, code: 'not-yet', detail: 'This part is neither there nor the one that comes next.' },
  gone: { status: 404, code: 'gone', detail: 'This file is no longer kept.' },
  damaged: { status: 404, code: 'damaged', detail: 'This span is damaged and is not served.' },
  busy: { status: 503, code: 'read-failed', detail: 'The disk did not answer.', retryAfter: 1 },
  crowded: { status: 503, code: 'crowded', detail: 'Too many have asked for something that must be made first. Ask again in a moment.', retryAfter: 2 },
  heldTooLong: { status: 503, code: 'held-too-long', detail: 'What was asked for did not come within three target durations.', retryAfter: 1 },
  licenceMethod: { status: 405, code: 'method-not-allowed', detail: 'A licence is asked for by POST.', headers: ['Allow', 'POST, OPTIONS'] },
  method: {
    status: 405,
    code: 'method-not-allowed',
    detail: 'Only GET, HEAD and OPTIONS are answered here.',
    headers: ['Allow', 'GET, HEAD, OPTIONS'],
  },
  internal: { status: 500, code: 'internal', detail: 'Something went wrong here; it has been logged.' },
} as const satisfies Record<string, Problem>;
