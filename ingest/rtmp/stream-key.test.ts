import t from 'tap';
import { RtmpError } from './errors.ts';
import { streamKey } from './stream-key.ts';

const KEY = 'k3y_Of-a.Stream';
const base = 'rtmp://example.com:1935/live';

const spellings: readonly [what: string, app: string, name: string, tcUrl: string][] = [
  ['OBS and ffmpeg, server and key', 'live', KEY, base],
  ['OBS, everything in the field "server"', `live/${KEY}`, '', `${base}/${KEY}`],
  ['the same with a slash at the end', `live/${KEY}/`, '', `${base}/${KEY}/`],
  ['slashes everywhere', '/live/', `/${KEY}/`, `${base}/`],
  ['no application', '', KEY, 'rtmp://example.com'],
  ['the key as the application', KEY, '', `rtmp://example.com/${KEY}`],
  ['application and key in the name', '', `live/${KEY}`, 'rtmp://example.com'],
  ['the whole address in the name', 'live', `${base}/${KEY}`, base],
  ['a query in the name', 'live', `x?key=${KEY}`, base],
  ['a query and nothing else in the name', 'live', `?key=${KEY}`, base],
  ['a query in the application', `live?key=${KEY}`, '', `${base}?key=${KEY}`],
  ['a query in the application, and a name', `live?a=b&key=${KEY}&c=d`, 'x', base],
  ['a query in the application, ending in a slash', `live?key=${KEY}/`, '', base],
  ['a query only in tcUrl', 'live', 'x', `${base}?key=${KEY}`],
  ['a key, and a query that has none', 'live', `${KEY}?user=me`, base],
  ['a quoted tcUrl and no application', '', '', `"${base}/${KEY}"`],
  ['a quoted key', 'live', `"${KEY}"`, base],
  ['pasted with space and line end', 'live', ` ${KEY}\r\n`, base],
  ['an application of our own name', 'some/where/else', KEY, base],
  ['percent signs', 'live', KEY.replace('_', '%5F'), base],
];

for (const [what, app, name, tcUrl] of spellings) {
  t.test(`the key is found: ${what}`, async (t) => t.equal(streamKey({ app, name, tcUrl }), KEY));
}

t.test('no key, or nothing that could be one', async (t) => {
  const fault = (app: string, name: string, tcUrl = base): string => {
    try {
      return streamKey({ app, name, tcUrl });
    } catch (error) {
      if (error instanceof RtmpError && !error.message.includes('secret')) return error.fault;
      throw error;
    }
  };
  t.equal(fault('live', ''), 'no-stream-key');
  t.equal(fault('', '', ''), 'no-stream-key');
  t.equal(fault('live?key=', ''), 'no-stream-key');
  t.equal(fault('live', 'secret\u0000key'), 'stream-key-form');
  t.equal(fault('live', 'secret key'), 'stream-key-form');
  t.equal(fault('live', 'secret'.repeat(100)), 'stream-key-form');
  t.equal(fault('live', '비밀secret'), 'stream-key-form');
  t.equal(fault('live', 'a%zz'), 'a%zz', 'a percent sign that encodes nothing');
});
