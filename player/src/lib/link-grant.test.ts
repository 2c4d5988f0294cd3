import t from 'tap';
import { grantIn, tidied, withGrant } from './link-grant.ts';

const place = (address: string): URL => new URL(address, 'https://video.example.org');

t.test('a grant is found in the fragment, and in the query of links that were made before', async (t) => {
  t.equal(grantIn(place('/watch/a#grant=Ab-_9')), 'Ab-_9');
  t.equal(grantIn(place('/watch/a?t=5&grant=Ab-_9')), 'Ab-_9');
  t.equal(grantIn(place('/watch/a?grant=old#grant=new')), 'new');
  for (const none of ['/watch/a', '/watch/a#main', '/watch/a#grant=', '/watch/a?grant=', '/watch/grant=a']) t.equal(grantIn(place(none)), undefined, none);
});

t.test('an address with the grant in its query becomes one that means the same and sends it to nobody', async (t) => {
  t.equal(tidied(place('/watch/a?grant=Ab-_9')), '/watch/a#grant=Ab-_9');
  t.equal(tidied(place('/watch/a?in=10&grant=Ab-_9&out=20.5')), '/watch/a?in=10&out=20.5#grant=Ab-_9');
  t.equal(tidied(place('/watch/a?grant=old#grant=new')), '/watch/a#grant=new');
  t.equal(tidied(place('/watch/a?grant=')), '/watch/a');
  for (const tidy of ['/watch/a?t=5', '/watch/a#grant=Ab-_9', '/']) t.equal(tidied(place(tidy)), null, tidy);
  for (const address of ['/watch/a?t=5&grant=Ab-_9', '/embed/a?grant=A%20b']) {
    const tidy = place(tidied(place(address)) ?? '');
    t.equal(grantIn(tidy), grantIn(place(address)));
    t.notMatch(tidy.pathname + tidy.search, /grant|Ab-_9/);
  }
});

t.test('what is asked for without a link has none', async (t) => {
  t.equal(withGrant('/@mill', undefined), '/@mill');
  t.equal(withGrant('/@mill', 'Ab-_9'), '/@mill#grant=Ab-_9');
});
