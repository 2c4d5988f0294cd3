/** An upload that is watched while it arrives: its playlists begin with the film, only grow at the end, and end when it is whole. */
import t from 'tap';
import { iframesPlaylist } from './iframes.ts';
import { readByM3u8Parser, readMedia, readMultivariant } from './judges.ts';
import { mediaPlaylist } from './media.ts';
import { multivariantPlaylist } from './multivariant.ts';
import { pictureAndSound, PretendStream } from './pretend-stream.ts';
import { judgeReload } from './reload.ts';
import { tsMediaPlaylist, tsMultivariant } from './ts.ts';

const rungs = (text: string): string[] => readMultivariant(text).variants.flatMap(({ uri, isIFrameOnly }) => (isIFrameOnly ? [] : [uri]));
const growing = (segments: number): PretendStream => new PretendStream({ growing: true, targetDuration: 3 }).segments(segments);

t.test('an EVENT from the beginning on, without promises of when more will come', async (t) => {
  const stream = growing(3);
  const lists = { v0: mediaPlaylist(stream.snapshot(), 'v0'), a0: mediaPlaylist(stream.snapshot(), 'a0'), ts: tsMediaPlaylist(stream.snapshot(), 'v0') };
  for (const [name, text] of Object.entries(lists)) {
    t.match(text, /^#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0\n/m, name);
    t.notMatch(text, /SERVER-CONTROL|PART|HINT|REPORT|ENDLIST|SKIP/, name);
    t.match(text, /TARGETDURATION:3\n/);
    t.same(readByM3u8Parser(text).complaints, []);
    t.match(readMedia(text), { playlistType: 'EVENT', endlist: false, start: { offset: 0 } });
  }
  t.match(iframesPlaylist(stream.snapshot(), 'v0'), /EVENT/);
});

t.test('it only ever gets longer, and keeps its type when the end is there', async (t) => {
  const stream = growing(2);
  let before = mediaPlaylist(stream.snapshot(), 'v0');
  for (let round = 0; round < 5; round += 1) {
    const after = mediaPlaylist(stream.segment().snapshot(), 'v0');
    t.ok(after.startsWith(before) && after.length > before.length);
    before = after;
  }
  const ended = mediaPlaylist(stream.end().snapshot(), 'v0');
  t.equal(ended, `${before}#EXT-X-ENDLIST\n`);
  const whole = mediaPlaylist(stream.snapshot(), 'v0', { whole: true });
  t.notMatch(whole, /EVENT|EXT-X-START|SERVER-CONTROL/);
  t.match(readMedia(whole), { endlist: true });
  t.equal(readMedia(whole).segments.length, 7);
});

t.test('directives of blocking reloads mean nothing', async (t) => {
  const stream = growing(3);
  for (const query of ['_HLS_msn=4', '_HLS_msn=90&_HLS_part=3', '_HLS_skip=YES', '_HLS_msn=x']) {
    t.same(judgeReload(stream.snapshot(), 'v0', query), { kind: 'answer', skip: false, lasting: false }, query);
  }
});

t.test('whoever comes begins at the beginning, or where he says; who comes later gets all of it', async (t) => {
  const stream = growing(3);
  t.match(multivariantPlaylist(stream.snapshot()), /^#EXT-X-START:TIME-OFFSET=0\n/m);
  t.match(multivariantPlaylist(stream.snapshot(), { start: 2.5 }), /^#EXT-X-START:TIME-OFFSET=2\.500/m);
  t.same(rungs(multivariantPlaylist(stream.snapshot())), ['v0/index.m3u8']);
  const ended = stream.end().snapshot();
  t.notMatch(multivariantPlaylist(ended), /EXT-X-START/);
  t.same(rungs(multivariantPlaylist(ended)), ['v0/whole.m3u8']);
});

t.test('a cut of it is watched while it arrives as well', async (t) => {
  const stream = growing(3);
  stream.cut = { inMicros: 1_500_000, outMicros: null };
  t.match(mediaPlaylist(stream.snapshot(), 'v0', { whole: true }), /EVENT/);
  stream.cut = { inMicros: null, outMicros: 3_000_000 };
  t.match(mediaPlaylist(stream.snapshot(), 'v0', { whole: true }), /ENDLIST/);
});

t.test('in MPEG-TS there is H.264 only', async (t) => {
  const [picture, sound] = pictureAndSound;
  if (!picture || !sound) throw new Error('no tracks');
  const both = new PretendStream({ tracks: [{ ...picture, codec: 'hevc' }, { ...picture, id: 'v1', height: 360 }, sound] }).segments(3).end();
  t.same(rungs(tsMultivariant(both.snapshot())), ['v1/whole.m3u8']);
  t.equal(rungs(multivariantPlaylist(both.snapshot())).length, 2);
});
