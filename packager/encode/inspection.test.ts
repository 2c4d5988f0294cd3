import t from 'tap';
import { random } from '../log/sample.ts';
import { InspectionError, readInspection } from './inspection.ts';

const picture = {
  index: 0, codec_type: 'video', codec_name: 'h264', profile: 'High', pix_fmt: 'yuv420p', width: 1920, height: 1080, sample_aspect_ratio: '1:1',
  field_order: 'progressive', avg_frame_rate: '30000/1001', time_base: '1/30000', disposition: { default: 1, attached_pic: 0 }, tags: {},
}; // prettier-ignore
const sound = {
  index: 1, codec_type: 'audio', codec_name: 'aac', profile: 'LC', sample_rate: '48000', channels: 2, channel_layout: 'stereo',
  disposition: { default: 1 }, tags: { language: 'kor', title: 'Commentary' },
}; // prettier-ignore
const told = (streams: unknown[], format: unknown = { duration: '12.5', nb_streams: 2 }): string => JSON.stringify({ streams, format });

t.test('what ffprobe says of a film', (t) => {
  const { duration, pictures, sounds, streams } = readInspection(told([picture, sound]));
  t.equal(duration, 12.5);
  t.equal(streams, 2);
  t.match(pictures, [{ index: 0, codec: 'h264', width: 1920, height: 1080, pixelAspect: { num: 1, den: 1 }, rotation: 0, interlaced: false, frameRate: { num: 30_000, den: 1001 }, timeBase: { num: 1, den: 30_000 }, isDefault: true }]);
  t.match(sounds, [{ index: 1, codec: 'aac', sampleRate: 48_000, channels: 2, layout: 'stereo', language: 'ko', name: 'Commentary' }]);
  t.end();
});

t.test('covers, thumbnails, subtitles and data are no pictures', (t) => {
  const shown = (disposition: object) => readInspection(told([{ ...picture, disposition }])).pictures.length;
  t.equal(shown({ attached_pic: 1 }), 0);
  t.equal(shown({ timed_thumbnails: 1 }), 0);
  t.equal(shown({ still_image: 1 }), 0);
  t.equal(shown({ default: 0 }), 1);
  t.match(readInspection(told([{ index: 0, codec_type: 'subtitle' }, { index: 1, codec_type: 'data' }, { index: 2, codec_type: 'attachment' }])), { pictures: [], sounds: [], streams: 3 });
  t.end();
});

t.test('subtitles are told apart by what they are written in, their language, and whom they are for', (t) => {
  const text = { index: 4, codec_type: 'subtitle', codec_name: 'subrip', disposition: { default: 0, forced: 1 }, tags: { language: 'ger', title: 'Für alle' } };
  t.same(readInspection(told([text])).texts, [{ index: 4, codec: 'subrip', language: 'de', name: 'Für alle', isDefault: false, isForced: true }]);
  t.same(readInspection(told([{ codec_type: 'subtitle', codec_name: 7 }])).texts, [{ index: 0, codec: '', language: 'und', name: null, isDefault: false, isForced: false }]);
  t.end();
});

t.test('how a picture is turned, wherever it is said', (t) => {
  const turned = (change: object) => readInspection(told([{ ...picture, ...change }])).pictures[0]?.rotation;
  t.equal(turned({ side_data_list: [{ side_data_type: 'x' }, { rotation: -90 }] }), 90);
  t.equal(turned({ side_data_list: [{ rotation: 180 }] }), 180);
  t.equal(turned({ side_data_list: [{ rotation: 17 }] }), 0);
  t.equal(turned({ tags: { rotate: '270' } }), 270);
  t.equal(turned({ tags: { rotate: 'sideways' } }), 0);
  t.end();
});

t.test('what cannot be is not known', (t) => {
  const odd = { ...picture, width: 1e9, height: -1, avg_frame_rate: '0/0', time_base: '1/99999999999', sample_aspect_ratio: '0:1', codec_name: 7, index: 'x' };
  t.match(readInspection(told([odd])).pictures, [{ index: 0, codec: '', width: 0, height: 0, frameRate: null, timeBase: null, pixelAspect: { num: 1, den: 1 } }]);
  t.match(readInspection(told([{ ...sound, channels: 1e7, sample_rate: '1e9', tags: { language: '<script>', title: 'a\nb‮c<img>'.repeat(100) } }])).sounds, [{ channels: 0, sampleRate: 0, language: 'und' }]);
  const { name } = readInspection(told([{ ...sound, tags: { title: `a\n\u202eb${'c'.repeat(500)}` } }])).sounds[0] ?? {};
  t.match(name, /^a bc{100,}$/);
  t.equal(name?.length, 120);
  t.equal(readInspection(told([], { duration: '1e99' })).duration, null);
  t.equal(readInspection(told([], { duration: '99999999999' })).duration, null);
  t.equal(readInspection(told([], null)).duration, null);
  t.end();
});

t.test('what is not from ffprobe is refused', (t) => {
  for (const text of ['', '{', '[]', '{}', 'null', '{"streams":{}}', '"streams"']) t.throws(() => readInspection(text), InspectionError, text);
  t.end();
});

t.test('whatever comes, it is read or refused', (t) => {
  const next = random(41);
  const below = (end: number): number => Math.floor(next() * end);
  const text = told([picture, sound]);
  const spoiled = () => {
    let bytes = text;
    for (let change = 0; change <= below(4); change += 1) {
      const at = below(bytes.length);
      bytes = bytes.slice(0, at) + ['', '"', '0', '-', 'null', '[', '}', 'e9', '\\u0000'][below(9)] + bytes.slice(at + below(6));
    }
    return bytes;
  };
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = spoiled();
    try {
      readInspection(bytes);
    } catch (error) {
      if (!(error instanceof InspectionError)) t.fail(bytes);
    }
  }
  t.pass('20,000 of them');
  t.end();
});
