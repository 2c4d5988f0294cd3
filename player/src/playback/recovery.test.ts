import t from 'tap';
import { nextStep, nothingTried, played } from './recovery.ts';
import type { Failure } from './recovery.ts';

const most = () => 1;
const plain = { ended: false, sealed: false, insecure: false };
const network = (status: number, manifest = false): Failure => ({ kind: 'network', status, manifest, ...plain });

t.test('a lost network is tried again for ever, from half a second up to eight', async (t) => {
  const tried = nothingTried();
  const waits = Array.from({ length: 50 }, () => {
    const step = nextStep(network(0), tried, most);
    return step.do === 'resume' ? step.after : -1;
  });
  t.same(waits.slice(0, 6), [500, 1000, 2000, 4000, 8000, 8000]);
  t.equal(waits.at(-1), 8000);
});

t.test('a playlist that did not come is loaded again from the start', async (t) => {
  t.equal(nextStep(network(503, true), nothingTried(), most).do, 'load-again');
});

t.test('a refused grant is not tried again', async (t) => {
  t.same(nextStep(network(403), nothingTried(), most), { do: 'give-up', code: 'forbidden' });
});

t.test('what is missing gets a few tries', async (t) => {
  const tried = nothingTried();
  for (let n = 0; n < 6; n++) t.equal(nextStep(network(404, true), tried, most).do, 'load-again');
  t.same(nextStep(network(404, true), tried, most), { do: 'give-up', code: 'missing' });
});

t.test('a recording of which a file is missing has an old list, which is read anew a few times', async (t) => {
  const gone: Failure = { kind: 'network', status: 404, manifest: false, ...plain, ended: true };
  const tried = nothingTried();
  for (let time = 0; time < 4; time += 1) {
    t.same(nextStep(gone, tried, most), { do: 'read-anew' });
    // What else there is comes.
    tried.missing = 0;
  }
  t.match(nextStep(gone, tried, most), { do: 'resume' });
  t.match(nextStep({ ...gone, manifest: true }, nothingTried(), most), { do: 'load-again' }, 'the list itself is not there');
});

t.test('what this browser has no decoder for is not tried again', async (t) => {
  t.same(nextStep({ kind: 'codec', status: 0, manifest: false, ...plain }, nothingTried(), most), { do: 'give-up', code: 'codec' });
});

t.test('without a key, or without ClearKey, nothing is tried again', async (t) => {
  const failure = (kind: Failure['kind'], insecure: boolean): Failure => ({ kind, status: 0, manifest: false, ended: false, sealed: true, insecure });
  t.same(nextStep(failure('keys', false), nothingTried(), most), { do: 'give-up', code: 'keys' });
  t.same(nextStep({ ...failure('keys', false), status: 404, ended: true }, nothingTried(), most), { do: 'read-anew' }, 'unless the list is an old one');
  t.same(nextStep(failure('clearkey', false), nothingTried(), most), { do: 'give-up', code: 'noClearKey' });
  t.same(nextStep(failure('clearkey', true), nothingTried(), most), { do: 'give-up', code: 'insecure' });
});

t.test('a key that is not there of what is live gets as many tries as media does, and what comes in between gives it as many again', async (t) => {
  const missing: Failure = { kind: 'keys', status: 404, manifest: false, ended: false, sealed: true, insecure: false };
  const tried = nothingTried();
  const six = (): boolean => t.same(Array.from({ length: 6 }, () => nextStep(missing, tried, most)), [500, 1000, 2000, 4000, 8000, 8000].map((after) => ({ do: 'resume', after })));
  six();
  // As hls-engine.ts does when media comes.
  Object.assign(tried, { network: 0, missing: 0 });
  six();
  t.same(nextStep(missing, tried, most), { do: 'give-up', code: 'keys' });
});

const undecodable: Failure = { kind: 'media', status: 0, manifest: false, ended: false, sealed: true, insecure: false };

t.test('protected media of which nothing was ever decoded is under another key in the end', async (t) => {
  const tried = { ...nothingTried(), media: 3 };
  t.same(nextStep(undecodable, tried, most), { do: 'give-up', code: 'keys' });
});

t.test('who has seen something is not told that the key is wrong', async (t) => {
  const tried = nothingTried();
  for (let quarters = 0; quarters < 4; quarters += 1) played(0.25, tried);
  const steps = Array.from({ length: 4 }, () => nextStep(undecodable, tried, most));
  t.same(steps.at(-1), { do: 'give-up', code: 'media' });
});

t.test('a flash of rubbish before each failure is not to have seen something', async (t) => {
  const tried = nothingTried();
  const steps = Array.from({ length: 4 }, () => {
    played(0.5, tried);
    return nextStep(undecodable, tried, most);
  });
  t.same(steps.at(-1), { do: 'give-up', code: 'keys' });
});

t.test('after a minute of playing the ladder of media errors begins anew, and not before', async (t) => {
  const tried = nothingTried();
  const first = { do: 'recover-media', swapAudio: false };
  for (let hiccup = 0; hiccup < 40; hiccup += 1) {
    t.same(nextStep(undecodable, tried, most), first);
    for (let second = 0; second < 60; second += 1) played(1, tried);
  }
  t.same(nextStep(undecodable, tried, most), first);
  played(59, tried);
  t.same(nextStep(undecodable, tried, most), { ...first, swapAudio: true });
});

t.test('media errors climb the ladder and then end', async (t) => {
  const tried = nothingTried();
  const media: Failure = { kind: 'media', status: 0, manifest: false, ...plain };
  t.same(nextStep(media, tried, most), { do: 'recover-media', swapAudio: false });
  t.same(nextStep(media, tried, most), { do: 'recover-media', swapAudio: true });
  t.same(nextStep(media, tried, most), { do: 'rebuild' });
  t.same(nextStep(media, tried, most), { do: 'give-up', code: 'media' });
});

t.test('retries are spread between half of the wait and the whole', async (t) => {
  const step = nextStep(network(0), nothingTried(), () => 0);
  t.same(step, { do: 'resume', after: 250 });
});
