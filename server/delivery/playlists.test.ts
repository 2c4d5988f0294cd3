import t from 'tap';
import { FakePresentation } from './fake-presentation.ts';
import { Playlists, playlistType } from './playlists.ts';

t.test('a cut of a whole night is written once for all who watch it, and a few of them at most are kept', async (t) => {
  const presentation = new FakePresentation();
  const snapshot = presentation.snapshot();
  const playlists = new Playlists();
  const ask = (cut: number): void => {
    playlists.get(presentation, snapshot, { key: String(cut), type: playlistType, rare: true, write: () => 'x'.repeat(2_500_000) });
  };
  for (let viewer = 0; viewer < 5; viewer++) for (const cut of [1, 2]) ask(cut);
  t.equal(playlists.written, 2);
  ask(3);
  ask(1);
  t.equal(playlists.written, 4, 'the third has put out the first');
});
