/** Posters, storyboards, previews and chapters as they are given out below /play/. */
import t from 'tap';
import { LogError } from '../../packager/log/types.ts';
import type { PictureName } from '../../packager/pictures/names.ts';
import type { FoundPicture } from './presentation.ts';
import { play, TestServer } from './test-server.ts';

const version = '0123456789abcdef';
const bytes = Buffer.from('a poster, as a JPEG');
const stage = async (t: { teardown(run: () => unknown): void }, found: (name: PictureName) => Partial<FoundPicture> | null = () => ({})) => {
  const reads: string[] = [];
  const server = await TestServer.start({
    madePictures: {
      find: (video, name) => {
        const one = found(name);
        return one && { type: 'image/jpeg', height: 360, version, read: async () => (reads.push(`${video} ${name.kind}`), bytes), ...one };
      },
    },
  });
  t.teardown(() => server.stop());
  return { server, reads };
};

t.test('an address with its version is for ever, in ranges too, and once to whoever has it', async (t) => {
  const { server, reads } = await stage(t);
  const address = `${play}/poster.jpg?v=${version}`;
  const first = await server.ask(address);
  const kept = { 'cache-control': 'public, max-age=31536000, immutable', etag: `"poster.jpg@${version}"` };
  t.match(first, { status: 200, headers: { ...kept, 'content-type': 'image/jpeg', 'content-length': String(bytes.length), 'accept-ranges': 'bytes', 'x-content-type-options': 'nosniff', 'access-control-allow-origin': '*' } });
  t.same(first.body, bytes);
  t.match(await server.ask(address, { headers: { 'if-none-match': kept.etag } }), { status: 304, text: '', headers: kept });
  t.match(await server.ask(address, { method: 'HEAD' }), { status: 200, text: '', headers: { ...kept, 'content-length': String(bytes.length) } });
  t.match(await server.ask(address, { headers: { range: 'bytes=2-7' } }), { status: 206, text: 'poster', headers: { ...kept, 'content-range': `bytes 2-7/${bytes.length}` } });
  t.match(await server.ask(address, { headers: { range: 'bytes=99-' } }), { status: 416 });
  for (let again = 0; again < 3; again += 1) await server.ask(address);
  t.ok(reads.length <= 6 && reads.every((read) => read === 'video-00000001 poster'), 'what is asked for again lies in memory');
  const before = reads.length;
  await server.ask(address);
  t.equal(reads.length, before);
});

t.test('of another version, or of none, it is what there is now, asked for again each time; cells of an old sheet are nowhere', async (t) => {
  const { server } = await stage(t);
  const kept = { 'cache-control': 'no-cache', etag: `"poster-3.jpg@${version}"` };
  for (const query of ['', '?v=', '?v=fedcba', `?w=${version}`, `?v=${version}x`, `?v=/../x`]) t.match(await server.ask(`${play}/poster-3.jpg${query}`), { status: 200, headers: kept }, query);
  t.match(await server.ask(`${play}/poster-3.jpg`, { headers: { 'if-none-match': kept.etag } }), { status: 304, headers: kept });
  t.match(await server.ask(`${play}/storyboard-0.jpg?v=fedcba`), { status: 404, text: /no-picture/ });
  t.match(await server.ask(`${play}/storyboard-0.jpg`), { status: 200 });
  t.match(await server.ask(`${play}/storyboard-0.jpg?v=${version}`), { status: 200, headers: { 'cache-control': /immutable/ } });
});

t.test('what is not there is not there, and what has just gone is gone', async (t) => {
  const { server } = await stage(t, () => null);
  for (const name of ['poster.jpg', 'poster-0.jpg', 'storyboard.vtt', 'storyboard-0.jpg', 'preview.webp']) t.match(await server.ask(`${play}/${name}?v=${version}`), { status: 404, text: /no-picture/, headers: { 'cache-control': 'no-store' } }, name);
  t.match(await server.ask(`${play}/chapters.vtt`), { status: 404, text: /no-chapters/ });
  for (const name of ['poster-9a.jpg', 'ts/poster.jpg', 'v0/poster.jpg', 'cut-1-5/poster.jpg', 'poster.jpg/', 'storyboard-0.vtt']) t.match(await server.ask(`${play}/${name}`), { status: 404, text: /not-found/ }, name);
  t.match(await server.ask(`${play}/poster.jpg`, { method: 'POST' }), { status: 405 });
  const gone = await stage(t, () => ({ read: () => Promise.reject(new LogError('gone', 'it was replaced')) }));
  t.match(await gone.server.ask(`${play}/poster.jpg?v=${version}`), { status: 404, text: /gone/ });
  t.same(gone.server.errors, []);
  const broken = await stage(t, () => ({ read: () => Promise.reject(new LogError('io', 'the disk')) }));
  t.match(await broken.server.ask(`${play}/poster.jpg?v=${version}`), { status: 503 });
  const none = await TestServer.start();
  t.teardown(() => none.stop());
  t.match(await none.ask(`${play}/poster.jpg`), { status: 404, text: /no-picture/ });
});

t.test('pictures are for whoever may have pictures, of that height, and kept for nobody else; chapters are for whoever watches', async (t) => {
  const { server } = await stage(t, ({ kind }) => (kind === 'chapters' || kind === 'storyboard' ? { height: kind === 'chapters' ? null : 90, type: 'text/vtt; charset=utf-8' } : {}));
  const { gatekeeper } = server;
  gatekeeper.closed.add('video-00000001');
  const open = { ok: true, shared: false, expiresAt: null, mayDownload: true } as const;
  gatekeeper.grants.set('high', { ...open, maxHeight: 360 }).set('low', { ...open, maxHeight: 240 }).set('media', { ...open, maxHeight: null }).set('pictures', { ...open, maxHeight: null });
  gatekeeper.audiences.set('media', ['media', 'keys']).set('pictures', ['pictures']);
  const by = (grant: string, name: string) => server.ask(`/play/${grant}/video-00000001/${name}?v=${version}`);
  t.match(await by('high', 'poster.jpg'), { status: 200, headers: { 'cache-control': 'private, max-age=86400, immutable' } });
  t.match(await server.ask('/play/high/video-00000001/poster.jpg'), { status: 200, headers: { 'cache-control': 'private, no-cache' } });
  for (const name of ['poster.jpg', 'poster-1.jpg', 'storyboard.vtt', 'storyboard-0.jpg', 'preview.webp', 'chapters.vtt']) {
    t.match(await by('-', name), { status: 404, text: /not-found/ }, name);
    t.match(await by('forged', name), { status: 403, text: /grant-signature/ }, name);
    const forPictures = name !== 'chapters.vtt';
    t.match(await by('media', name), forPictures ? { status: 403, text: /grant-other-audience/ } : { status: 200 }, name);
    t.match(await by('pictures', name), forPictures ? { status: 200 } : { status: 403, text: /grant-other-audience/ }, name);
  }
  t.match(await by('low', 'poster.jpg'), { status: 403, text: /height-limit/ });
  t.match(await by('low', 'storyboard.vtt'), { status: 200 });
});
