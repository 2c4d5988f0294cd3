import Hls, { ErrorDetails, ErrorTypes } from 'hls.js';
import type { ErrorData } from 'hls.js';
import t from 'tap';
import { forClearKey, keyFailure, keyIds } from './protected.ts';

const id = '0000002a32df7a8101651dd20ad84224';
const key = (rest: string): string => `#EXTM3U\n#EXT-X-MAP:URI="i0.mp4"\n#EXT-X-KEY:METHOD=${rest}\n#EXTINF:2,\n1.m4s\n`;

t.test('the keys of cbcs are named as ClearKey’s, each by its id, and all the rest stays as it is', async (t) => {
  const iv = 'IV=0x000102030405060708090a0b0c0d0e0f';
  const own = key(`SAMPLE-AES,URI="../keys/${id}",KEYFORMAT="identity",${iv}`);
  const read = key(`SAMPLE-AES,URI="../keys/${id}",KEYFORMAT="org.w3.clearkey",KEYID=0x${id},${iv}`);
  t.equal(forClearKey(own), read);
  t.equal(forClearKey(own + own), read + read);
});

t.test('other playlists are left alone', async (t) => {
  for (const text of [
    key(`AES-128,URI="../keys/${id}",IV=0x00`),
    key('NONE'),
    key('SAMPLE-AES,URI="skd://somewhere",KEYFORMAT="com.apple.streamingkeydelivery"'),
    '#EXTM3U\n',
  ]) {
    t.equal(forClearKey(text), text);
  }
});

t.test('ids are asked for as W3C says: base64url without padding', async (t) => {
  t.equal(keyIds(Uint8Array.from([0xfb, 0xff, 0xfe, ...Array.from({ length: 13 }, () => 0)])), '{"kids":["-__-AAAAAAAAAAAAAAAAAA"]}');
});

t.test('a key that is not there is said in its own words; one that is refused, or that nobody answered for, is as media is', async (t) => {
  const failure = (details: string, type: string, code?: number): ErrorData => ({ details, type, ...(code === undefined ? {} : { response: { code } }) }) as unknown as ErrorData;
  for (const details of [ErrorDetails.KEY_LOAD_ERROR, ErrorDetails.KEY_SYSTEM_LICENSE_REQUEST_FAILED]) {
    t.equal(keyFailure(Hls, failure(details, ErrorTypes.KEY_SYSTEM_ERROR, 404)), 'keys');
    for (const code of [403, 503, 0]) t.equal(keyFailure(Hls, failure(details, ErrorTypes.KEY_SYSTEM_ERROR, code)), 'network');
  }
  t.equal(keyFailure(Hls, failure(ErrorDetails.KEY_SYSTEM_NO_ACCESS, ErrorTypes.KEY_SYSTEM_ERROR)), 'clearkey');
  t.equal(keyFailure(Hls, failure(ErrorDetails.KEY_SYSTEM_SESSION_UPDATE_FAILED, ErrorTypes.KEY_SYSTEM_ERROR)), 'keys');
  t.equal(keyFailure(Hls, failure(ErrorDetails.FRAG_LOAD_ERROR, ErrorTypes.NETWORK_ERROR, 404)), null);
});
