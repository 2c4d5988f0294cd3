import t from 'tap';
import { runsOut, versionOf } from './picture-address.ts';

const [open, first, second] = ['-', 'Ab-_9', 'Cd'].map((opens) => `https://example.org/play/${opens}/0-video/poster-1.jpg?v=7`) as [string, string, string];

t.test('a picture is the same by whatever grant, and another when it changes', async (t) => {
  t.equal(versionOf(first), versionOf(second));
  t.equal(versionOf(first), '/poster-1.jpg?v=7');
  t.not(versionOf(first), versionOf(first.replace('v=7', 'v=8')));
});

t.test('only what was opened by a grant runs out', async (t) => {
  t.same([open, first, second].map(runsOut), [false, true, true]);
});
