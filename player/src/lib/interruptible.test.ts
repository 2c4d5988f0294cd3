import t from 'tap';
import { interruptible, linked, Stopped } from './interruptible.ts';

t.test('what was begun is taken back when it is called off, and settles no more', async (t) => {
  const controller = new AbortController();
  const undone: string[] = [];
  let settle = (_value: string): void => {};
  const waiting = interruptible<string>(controller.signal, (resolve) => {
    settle = resolve;
    return () => void undone.push('undone');
  });
  controller.abort();
  settle('late');
  await t.rejects(waiting, Stopped);
  t.same(undone, ['undone']);
  await t.rejects(interruptible(controller.signal, () => (t.fail('it begins nothing'), () => {})), Stopped);
});

t.test('what has settled is not taken back', async (t) => {
  const controller = new AbortController();
  const value = await interruptible<number>(controller.signal, (resolve) => {
    resolve(1);
    return () => void t.fail('nothing to undo');
  });
  controller.abort();
  t.equal(value, 1);
  const fails = interruptible(new AbortController().signal, (_resolve, reject) => {
    reject(new TypeError('no'));
    return () => {};
  });
  await t.rejects(fails, TypeError);
});

t.test('a linked signal comes with its parent, or alone', async (t) => {
  const parent = new AbortController();
  const [one, two, three] = [linked(parent.signal), linked(parent.signal), linked(parent.signal)];
  one.abort();
  t.same([parent.signal.aborted, one.signal.aborted, two.signal.aborted], [false, true, false]);
  three.unlink();
  parent.abort();
  t.same([two.signal.aborted, three.signal.aborted], [true, false]);
  t.ok(linked(parent.signal).signal.aborted);
});
