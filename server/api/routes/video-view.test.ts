import t from 'tap';
import { errorView } from './video-view.ts';

t.test('where a file was to be fetched from is for the owner of the video alone to know', async (t) => {
  const row = { errorCode: 'import-refused', errorMessage: 'files.inside.example leads to no public address.' };
  t.same(errorView(row, true), { code: row.errorCode, message: row.errorMessage });
  t.same(errorView(row, false), { code: 'import-refused', message: 'The file could not be fetched.' });
});

t.test('what is wrong with a file anybody may know who sees the video', async (t) => {
  const row = { errorCode: 'truncated', errorMessage: 'The file ends too early: part of it is missing.' };
  t.same(errorView(row, false), errorView(row, true));
  t.equal(errorView({ errorCode: null, errorMessage: null }, false), null);
});
