/**
 * Where the stream key is. The stream id is what a caller may say of itself, in one of two forms:
 *
 *     KEY                                   also live/KEY, and publish:KEY as some servers want it
 *     #!::r=…,m=publish,s=KEY               SRT access control; without s, the last word of r
 */
import type { SrtFault } from './errors.ts';

const longest = 512;
const marked = '#!::';
const keyShape = /^[\x21-\x7e]{1,256}$/;
/** The application of RTMP addresses, which people copy with the key. */
const application = 'live';

export type StreamId = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly fault: SrtFault };

const no = (fault: SrtFault): StreamId => ({ ok: false, fault });

export const readStreamId = (text: string): StreamId => {
  if (Buffer.byteLength(text) > longest) return no('stream-id');
  const id = text.trim();
  if (!id.startsWith(marked)) return keyOf(id.replace(/^publish:/, ''));
  const fields = new Map<string, string>();
  for (const part of id.slice(marked.length).split(',')) {
    const [name = '', ...value] = part.split('=');
    if (value.length === 0 && name !== '') return no('stream-id');
    fields.set(name.trim(), value.join('=').trim());
  }
  // The default mode of access control is to ask for a stream.
  if (fields.get('m') !== 'publish') return no('not-publish');
  return keyOf(fields.get('s') ?? fields.get('r') ?? '');
};

const keyOf = (place: string): StreamId => {
  const key = place.split('/').findLast((word) => word !== '') ?? '';
  if (key === '' || key === application) return no('no-stream-key');
  return keyShape.test(key) ? { ok: true, key } : no('stream-id');
};
