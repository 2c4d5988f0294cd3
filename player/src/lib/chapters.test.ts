import t from 'tap';
import { chapterAt, chapterLines, longestTitle, mostChapters, readChapters, shownLength } from './chapters.ts';

t.test('a line is a chapter, and each ends where the next begins', async (t) => {
  const { chapters, faults } = readChapters('0:00 Opening\n\n 1:02.5 – The mill  \r\n1:00:03\tWater', 4000);
  t.same(faults, []);
  t.same(chapters, [
    { start: 0, end: 62.5, title: 'Opening' },
    { start: 62.5, end: 3603, title: 'The mill' },
    { start: 3603, end: 4000, title: 'Water' },
  ]);
});

t.test('what was written is what is read again', async (t) => {
  const text = '0:00 Opening\n1:02.5 The mill\n1:00:03 물레방아';
  t.equal(chapterLines(readChapters(text, 4000).chapters), text);
});

t.test('each line that cannot be taken is named with what is wrong', async (t) => {
  const { faults, chapters } = readChapters('Opening\n0:10\n0:20 A\n0:20 B\n\n9:00 C\n90 D', 60);
  t.same(faults, [
    { line: 1, fault: 'time' },
    { line: 2, fault: 'title' },
    { line: 4, fault: 'order' },
    { line: 6, fault: 'beyond' },
    { line: 7, fault: 'time' },
  ]);
  t.equal(chapters.length, 1);
  t.same(readChapters(`0:00 ${'가'.repeat(longestTitle + 1)}`, null).faults, [{ line: 1, fault: 'long' }]);
  t.same(readChapters(`0:00 ${'🎬'.repeat(longestTitle)}`, null).faults, [], 'letters are counted as people count them');
});

t.test('of lines that nobody touched nothing is lost: neither what is finer than they say nor where a chapter ends', async (t) => {
  const known = [
    { start: 0, end: 12.345, title: 'Opening' },
    { start: 12.345, end: 18, title: 'The  wheel' },
    { start: 20.06, end: 20.1, title: 'Water' },
    { start: 20.1, end: 31.2, title: 'Water' },
    { start: 59.97, end: 59.99, title: '물레방아'.normalize('NFD') },
  ];
  const lines = chapterLines(known);
  t.same(readChapters(lines, 60, known), { chapters: known.map((chapter) => (chapter.start === 59.97 ? { ...chapter, end: 60 } : chapter)), faults: [] }, 'but for an end that no line could say');
  const more = readChapters(`${lines.replace('Opening', 'The mill')}`.replace('0:12.3', '0:05 A\n0:12.3'), 60, known).chapters;
  t.same(more.slice(0, 3), [{ start: 0, end: 5, title: 'The mill' }, { start: 5, end: 12.345, title: 'A' }, known[1]]);
  t.same(readChapters('0:00 Opening\n0:30 Late', 60, known).chapters, [{ start: 0, end: 30, title: 'Opening' }, { start: 30, end: 60, title: 'Late' }], 'what was taken away leaves no hole');
  t.same(readChapters('0:12.3 The wheel\n0:15 In the hole', 60, known).chapters.map(({ end }) => end), [15, 60]);
  t.same(readChapters('0:12.3 Another wheel', 60, known).chapters, [{ start: 12.3, end: 60, title: 'Another wheel' }]);
});

t.test('of a trimmed video they lie in what is shown', async (t) => {
  const of = (duration: number | null, trim?: { in: number | null; out: number | null } | null) => shownLength({ duration, ...(trim === undefined ? {} : { trim }) });
  t.same([of(60), of(60, null), of(60, { in: 10, out: null }), of(60, { in: null, out: 50 }), of(60, { in: 10, out: 50 }), of(null, { in: 10, out: 50 })], [60, 60, 50, 50, 40, null]);
});

t.test('too many are said once', async (t) => {
  const all = Array.from({ length: mostChapters + 5 }, (_, at) => `${Math.floor(at / 60)}:${String(at % 60).padStart(2, '0')} ${at}`).join('\n');
  t.same(readChapters(all, null).faults, [{ line: mostChapters + 1, fault: 'many' }]);
});

t.test('a time lies in one chapter or in none', async (t) => {
  const chapters = [
    { start: 5, end: 10, title: 'a' },
    { start: 10, end: 20, title: 'b' },
  ];
  t.same([0, 5, 9.9, 9.97, 10, 25].map((time) => chapterAt(chapters, time)), [-1, 0, 0, 1, 1, -1]);
});
