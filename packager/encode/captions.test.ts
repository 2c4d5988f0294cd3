import t from 'tap';
import { captionsCommand, captionsIn } from './captions.ts';
import type { Inspection, TextStream } from './inspection.ts';

const text = (index: number, change: Partial<TextStream> = {}): TextStream => ({ index, codec: 'subrip', language: 'en', name: null, isDefault: false, isForced: false, ...change });
const seen = (...texts: TextStream[]): Inspection => ({ duration: 60, pictures: [], sounds: [], texts, streams: texts.length });
const indexes = (inspection: Inspection, container: 'matroska' | 'mp4' | 'avi' = 'matroska'): number[] => captionsIn(inspection, container).map(({ index }) => index);

t.test('one of each language is taken: what is switched on, else the first', async (t) => {
  t.same(indexes(seen(text(2), text(3, { language: 'ko' }), text(4), text(5, { language: 'ko', isDefault: true }))), [2, 5]);
});

t.test('pictures of text, and what belongs to the sound of another language, are left', async (t) => {
  t.same(indexes(seen(text(2, { codec: 'hdmv_pgs_subtitle' }), text(3, { isForced: true }), text(4, { codec: 'ass' }))), [4]);
  t.same(indexes(seen(text(2, { codec: 'mov_text' })), 'mp4'), [2]);
  t.same(indexes(seen(text(2)), 'avi'), [], 'nobody means them there');
});

t.test('a file has a bounded number of them', async (t) => {
  const many = Array.from({ length: 60 }, (_, at) => text(at, { language: `${String.fromCharCode(97 + (at % 26))}${String.fromCharCode(97 + Math.floor(at / 26))}` }));
  t.equal(indexes(seen(...many)).length, 16);
});

t.test('each is written into a file whose name is ours', async (t) => {
  const args = captionsCommand('matroska', [text(2), text(7)]).join(' ');
  t.match(args, /-i file:input -map 0:2 .*file:captions-0\.vtt -map 0:7 .*file:captions-1\.vtt$/);
});
