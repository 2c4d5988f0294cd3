import t from 'tap';
import { captionsFor, captionsToShow, choiceNames, off, soundFor } from './choices.ts';
import type { Choice } from './choices.ts';

const choice = (id: string, language: string, label = ''): Choice => ({ id, language, label });
const both = [choice('1', 'en'), choice('2', 'ko-KR')];

t.test('captions begin as they were left: off, or in the same language where there is one', async (t) => {
  t.equal(captionsFor(both, off, '1'), null, 'off also where the video would show some');
  t.equal(captionsFor(both, 'ko', null), '2');
  t.equal(captionsFor(both, 'en-GB', null), '1');
  t.equal(captionsFor(both, 'ja', '1'), null, 'another language is not what was wished for');
  t.equal(captionsFor(both, null, null), null);
  t.equal(captionsFor(both, null, '1'), '1', 'who never chose gets what the video says');
  t.equal(captionsFor([choice('b', 'zh-Hant'), choice('a', 'zh-Hans')], 'zh-Hans', null), 'a', 'the exact one first');
});

t.test('switched on without a choice, they come in the last language, in that of the reader, or at all', async (t) => {
  t.equal(captionsToShow(both, 'en', 'ko'), '1');
  t.equal(captionsToShow(both, null, 'ko'), '2');
  t.equal(captionsToShow(both, 'fr', 'de'), '1');
  t.equal(captionsToShow([], 'en', 'en'), null);
});

t.test('sound stays in the language that was chosen', async (t) => {
  t.equal(soundFor(both, 'ko'), '2');
  t.equal(soundFor(both, 'fr'), null);
  t.equal(soundFor(both, null), null);
});

t.test('languages have names for people, and no two entries read the same', async (t) => {
  t.same(choiceNames(both, 'en'), ['English', 'Korean (South Korea)']);
  t.same(choiceNames([choice('1', 'ko'), choice('2', 'ko', '해설')], 'ko'), ['한국어', '한국어 (해설)']);
  t.same(choiceNames([choice('1', '', 'CC1'), choice('2', 'no tag at all', 'X'), choice('3', 'qqx', '')], 'en'), ['CC1', 'X', 'qqx']);
});
