import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { Blocks, type WriteSegment } from './blocks.ts';
import { iframesPlaylist } from './iframes.ts';
import { mediaPlaylist } from './media.ts';
import { PretendStream } from './pretend-stream.ts';
import { rebased } from './rebase.ts';
import { tsMediaPlaylist } from './ts.ts';

t.test('whatever is listed and in whatever order, the text is that of the segments one by one', async (t) => {
  const stream = new PretendStream({ partBytes: 1 });
  for (let epoch = 0; epoch < 12; epoch++) stream.segments(3 * (1 + (epoch % 11)), 1).epoch();
  const [track] = stream.snapshot().tracks;
  if (!track) return t.fail('no track');
  const write: WriteSegment = ({ msn, epoch }, before) => `${before !== undefined && before !== epoch ? '#new\n' : ''}#EXT-X-MAP:URI="i${epoch}"\n${msn}.m4s\n`;
  const blocks = new Blocks();
  const random = new Random(5);
  for (let round = 0; round < 300; round++) {
    const from = random.below(track.segments.length);
    const to = from + random.below(track.segments.length - from + 1);
    const base = [undefined, '../a/', '../b/'][random.below(3)];
    const plain = track.segments.slice(from, to).map((segment, index) => write(segment, index > 0 ? track.segments[from + index - 1]?.epoch : undefined)).join('');
    const text = blocks.text(track, from, to, base, write);
    if (text !== rebased(plain, base)) t.equal(text, rebased(plain, base), `${from} to ${to} at ${base}`);
  }
});

t.test('the playlists of a long show and of its cuts are those of one that nobody has asked for yet', async (t) => {
  const made = (): PretendStream => new PretendStream({ partBytes: 1 }).segments(100, 1).epoch().segments(70, 1).part(1, true).close().segments(90, 1);
  const stream = made();
  for (const list of [mediaPlaylist, iframesPlaylist, tsMediaPlaylist]) {
    for (const whole of [false, true]) {
      list(stream.snapshot(), 'v0', { whole });
      const fresh = list(made().snapshot(), 'v0', { whole, mediaBase: '../../v0/' });
      t.equal(list(stream.snapshot(), 'v0', { whole, mediaBase: '../../v0/' }), fresh);
      t.equal(rebased(list(stream.snapshot(), 'v0', { whole }), '../../v0/'), fresh);
    }
  }
});
