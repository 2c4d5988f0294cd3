import t from 'tap';
import { cellAt, cellsOf } from './storyboard.ts';

const base = 'https://example.org/play/grant/video/storyboard.vtt?v=7';
const vtt = [
  'WEBVTT',
  '',
  '00:00.000 --> 00:10.000',
  'storyboard-0.jpg?v=7#xywh=0,0,160,90',
  '',
  'second',
  '00:00:10.000 --> 00:00:20.000',
  'storyboard-0.jpg?v=7#xywh=160,0,160,90',
  '',
  '01:00:00.000 --> 01:00:10.000',
  'storyboard-1.jpg?v=7#xywh=pixel:0,90,160,90',
].join('\r\n');

t.test('cues become cells, and their images lie beside the track', async (t) => {
  const cells = cellsOf(vtt, base);
  t.same(cells[1], { from: 10, to: 20, image: '/play/grant/video/storyboard-0.jpg?v=7', x: 160, y: 0, width: 160, height: 90 });
  t.match(cells[2], { from: 3600, to: 3610, image: '/play/grant/video/storyboard-1.jpg?v=7', y: 90 });
});

t.test('a time has the cell that began last; before the first and behind the last there is one all the same', async (t) => {
  const cells = cellsOf(vtt, base);
  const xAt = (time: number): number | undefined => cellAt(cells, time)?.x;
  t.same([xAt(-1), xAt(0), xAt(9.99), xAt(10), xAt(200)], [0, 0, 0, 160, 160]);
  t.equal(cellAt(cells, 99_999)?.image, '/play/grant/video/storyboard-1.jpg?v=7');
  t.equal(cellAt([], 3), null);
});

t.test('what is no storyboard is passed over: other texts, turned times, empty pieces, images of other sites', async (t) => {
  t.same(cellsOf('<!doctype html>', base), []);
  t.same(cellsOf('00:00.000 --> 00:10.000\njust words', base), []);
  t.same(cellsOf('00:10.000 --> 00:10.000\na.jpg#xywh=0,0,1,1', base), []);
  t.same(cellsOf('00:00.000 --> 00:10.000\na.jpg#xywh=0,0,0,90', base), []);
  t.same(cellsOf('00:00.000 --> 00:10.000\nhttps://elsewhere.example/a.jpg#xywh=0,0,1,1', base), []);
  t.equal(cellsOf('00:00.000 --> 00:10.000\n\n00:10.000 --> 00:20.000\na.jpg#xywh=0,0,1,1', base).length, 1);
});
