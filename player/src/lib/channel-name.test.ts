import t from 'tap';
import { nameFault, nameFromTitle } from './channel-name.ts';

t.test('a name is 1-40 of a-z 0-9 - _', async (t) => {
  t.equal(nameFault('my-channel_1'), null);
  t.equal(nameFault('a'.repeat(40)), null);
  t.equal(nameFault(''), 'empty');
  t.equal(nameFault('a'.repeat(41)), 'long');
  t.equal(nameFault('admin'), 'reserved');
  for (const bad of ['Mine', '물레방아', 'a b', 'a/b', 'é']) t.equal(nameFault(bad), 'characters', bad);
});

t.test('a title suggests a name that is valid, or none', async (t) => {
  t.equal(nameFromTitle('  My First Show! '), 'my-first-show');
  t.equal(nameFromTitle('물레방아 TV'), 'tv');
  t.equal(nameFromTitle('물레방아'), '');
  t.equal(nameFault(nameFromTitle('x'.repeat(60))), null);
});
