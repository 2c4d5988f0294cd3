import t from 'tap';
import { actionOf } from './keys.ts';
import type { Press } from './keys.ts';

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  code: /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key,
  isComposing: false,
  keyCode: 0,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
});

t.test('letters work anywhere but in a field, also with a Korean layout', async (t) => {
  t.same(actionOf(press('k'), 'page'), { do: 'toggle' });
  t.same(actionOf(press('ㅏ', { code: 'KeyK' }), 'control'), { do: 'toggle' });
  t.same(actionOf(press('ㅊ', { code: 'KeyC' }), 'control'), { do: 'captions' });
  t.equal(actionOf(press('k'), 'field'), null);
  t.equal(actionOf(press('c'), 'field'), null);
});

t.test('what an input method composes is left alone', async (t) => {
  t.equal(actionOf(press('k', { isComposing: true }), 'page'), null);
  t.equal(actionOf(press('Process', { code: 'KeyK', keyCode: 229 }), 'page'), null);
});

t.test("the browser's own shortcuts stay its own", async (t) => {
  for (const modifier of ['ctrlKey', 'metaKey', 'altKey'] as const)
    t.equal(actionOf(press('f', { [modifier]: true }), 'page'), null);
});

t.test('arrows scroll the page and seek on the stage; a focused control keeps space and arrows', async (t) => {
  t.equal(actionOf(press('ArrowLeft'), 'page'), null);
  t.same(actionOf(press('ArrowLeft'), 'stage'), { do: 'seek', by: -5 });
  t.equal(actionOf(press(' '), 'control'), null);
  t.same(actionOf(press(' '), 'page'), { do: 'toggle' });
  t.same(actionOf(press('5'), 'page'), { do: 'part', of: 0.5 });
});
