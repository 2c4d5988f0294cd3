/** What every answer must say of itself. */
import { fault, type Fault } from '../finding.ts';
import type { Answer } from '../watch/answer.ts';

export type Kind = 'multivariant' | 'live playlist' | 'ended playlist' | 'kept playlist' | 'init' | 'media' | 'captions' | 'transport' | 'manifest' | 'ended manifest' | 'time' | 'error';

const types: Partial<Record<Kind, RegExp>> = {
  multivariant: /^application\/(?:vnd\.apple\.mpegurl|x-mpegurl)\b/i,
  'live playlist': /^application\/(?:vnd\.apple\.mpegurl|x-mpegurl)\b/i,
  'ended playlist': /^application\/(?:vnd\.apple\.mpegurl|x-mpegurl)\b/i,
  'kept playlist': /^application\/(?:vnd\.apple\.mpegurl|x-mpegurl)\b/i,
  init: /^(?:video|audio|application)\/mp4\b/i,
  media: /^(?:(?:video|audio|application)\/mp4|video\/iso\.segment)\b/i,
  captions: /^text\/vtt\b/i,
  transport: /^video\/mp2t\b/i,
  manifest: /^application\/dash\+xml\b/i,
  'ended manifest': /^application\/dash\+xml\b/i,
};

const compressed = new Set<Kind>(['multivariant', 'live playlist', 'ended playlist', 'kept playlist', 'manifest', 'ended manifest']);
/** Less is not worth the trouble. */
const worthIt = 512;
const anHour = 3600;

export function* headersOf(answer: Answer, kind: Kind, targetDuration: number | null): Generator<Fault> {
  if (answer.trouble) return yield fault(answer.trouble.rule, answer.trouble.says);
  const { headers, wire, chunked } = answer;
  const length = headers.get('content-length');
  if (length !== undefined && Number(length) !== wire) yield fault('http/length', `Content-Length is ${length.slice(0, 20)}, and ${wire} bytes came`);
  const origin = headers.get('access-control-allow-origin');
  if (origin === undefined || origin === '') yield fault('http/cors', `no Access-Control-Allow-Origin (status ${answer.status})`);
  if (!headers.has('date')) yield fault('http/date', 'no Date');
  if (kind === 'error' || answer.status >= 400) return;
  const type = headers.get('content-type') ?? '';
  const wanted = types[kind];
  if (wanted && !wanted.test(type)) yield fault('http/mime', `Content-Type is "${type.slice(0, 60)}"`);
  if (compressed.has(kind) && answer.body.length > worthIt && !/\b(?:gzip|br|zstd|deflate)\b/.test(headers.get('content-encoding') ?? '')) {
    yield fault('http/gzip', `${answer.body.length} bytes of text came as they are`);
  }
  // Of a recording nothing changes.
  if (kind === 'manifest' && !answer.body.includes('type="dynamic"')) return;
  yield* caching(headers.get('cache-control') ?? '', kind, targetDuration, chunked);
}

function* caching(text: string, kind: Kind, targetDuration: number | null, chunked: boolean): Generator<Fault> {
  const age = Number(/(?:^|[\s,])max-age=(\d{1,10})/.exec(text)?.[1] ?? 0);
  const never = /\bno-(?:cache|store)\b/.test(text);
  const shown = text === '' ? 'not there' : text.slice(0, 80);
  if (kind === 'live playlist' || kind === 'time') {
    // What is asked for without a position is another thing in a moment.
    if (!never && (text === '' || age > 1)) yield fault('http/cache-live', `Cache-Control is ${shown}`);
  } else if (kind === 'kept playlist' || kind === 'manifest') {
    if (!never && age > 6 * (targetDuration ?? 6)) yield fault('http/cache-live', `Cache-Control is ${shown}`);
  } else if ((kind === 'media' || kind === 'init' || kind === 'transport') && !chunked) {
    if (never || age < anHour) yield fault('http/cache-media', `Cache-Control of media is ${shown}`);
  }
}
