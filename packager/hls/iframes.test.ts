import t from 'tap';
import { readByM3u8Parser, readMedia, readMultivariant } from './judges.ts';
import { iframesPlaylist } from './iframes.ts';
import { mediaPlaylist } from './media.ts';
import { multivariantPlaylist } from './multivariant.ts';
import { PretendStream } from './pretend-stream.ts';

t.test('one key picture a segment, under the numbers, dates and discontinuities of the media playlist', async (t) => {
  const stream = new PretendStream().segments(5).epoch().segments(3).part();
  const text = iframesPlaylist(stream.snapshot(), 'v0');
  const { manifest, complaints } = readByM3u8Parser(text);
  t.same(complaints, []);
  t.match(manifest, { iFramesOnly: true, mediaSequence: 1, targetDuration: 2, discontinuityStarts: [5] });
  t.notMatch(text, /PART|SERVER-CONTROL|HINT|REPORT|ENDLIST/);
  const read = readMedia(text);
  const media = readMedia(mediaPlaylist(stream.snapshot(), 'v0')).segments.filter(({ uri }) => uri);
  t.equal(read.isIFrame, true);
  const facts = (list: typeof media) => list.map((one) => [one.mediaSequenceNumber, one.discontinuitySequence, one.duration, one.programDateTime?.getTime(), one.map?.uri]);
  t.same(facts(read.segments), facts(media));
  t.same(read.segments.map(({ uri }) => uri), Array.from({ length: 8 }, (_, n) => `${stream.run}-k${n + 1}.m4s`));
});

t.test('a segment without a key picture keeps its number', async (t) => {
  const stream = new PretendStream().segment().part(1, true).close().segment();
  const text = iframesPlaylist(stream.snapshot(), 'v0');
  t.match(text, /#EXT-X-GAP\n#EXTINF:0\.333333,\n.*-k2\.m4s/);
  t.equal(text.match(/EXT-X-GAP/g)?.length, 1);
});

t.test('the window slides, and ends; the whole of an ended show is there under its own name', async (t) => {
  const stream = new PretendStream().segments(10).keep(4);
  t.match(iframesPlaylist(stream.snapshot(), 'v0'), /MEDIA-SEQUENCE:7\n/);
  stream.end();
  const window = readMedia(iframesPlaylist(stream.snapshot(), 'v0'));
  t.equal(window.endlist, true);
  t.equal(window.segments.length, 4);
});

t.test('the multivariant playlist names it for every rung, and for sound there is none', async (t) => {
  const stream = new PretendStream().segments(3);
  const text = multivariantPlaylist(stream.snapshot());
  const variant = readMultivariant(text).variants.find(({ isIFrameOnly }) => isIFrameOnly);
  t.match(variant, { uri: 'v0/iframes.m3u8', codecs: 'avc1.640028', resolution: { width: 1920, height: 1080 } });
  t.throws(() => iframesPlaylist(stream.snapshot(), 'a0'), { name: 'RangeError' });
  t.throws(() => iframesPlaylist(stream.snapshot(), 'v7'), { name: 'RangeError' });
});
