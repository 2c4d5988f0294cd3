import t from 'tap';
import { paths, routeOf, safeNext, setupToken } from './routes.ts';

t.test('every page has its address', async (t) => {
  t.same(routeOf('/'), { page: 'home' });
  t.same(routeOf('/@mill'), { page: 'channel', name: 'mill' });
  t.same(routeOf('/watch/v1/'), { page: 'watch', video: 'v1' });
  t.same(routeOf('/embed/v1'), { page: 'embed', video: 'v1' });
  t.same(routeOf(paths.studioChannel('a b')), { page: 'studio-channel', id: 'a b' });
  t.same(routeOf('/studio/'), { page: 'studio' });
});

t.test('what names no page is the 404 page', async (t) => {
  for (const path of ['/nope', '/@', '/watch', '/watch/a/b', '/@%E0%A4', '/constructor', '/studio/channels/']) {
    t.same(routeOf(path), { page: 'not-found' }, path);
  }
});

t.test('signing in leads on to a page of this site only', async (t) => {
  t.equal(safeNext('?next=%2Fstudio%2Fchannels%2Fa'), '/studio/channels/a');
  for (const evil of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/a\\b',
    'javascript:alert(1)',
    '',
  ]) {
    t.equal(safeNext(`?next=${encodeURIComponent(evil)}`), '/studio', evil);
  }
});

t.test('the one-time token is read from the hash in both forms', async (t) => {
  t.equal(setupToken('#token=abc-_1'), 'abc-_1');
  t.equal(setupToken('#abc-_1'), 'abc-_1');
  t.equal(setupToken('#other=1'), '');
  t.equal(setupToken(''), '');
});
