import t from 'tap';
import { encodeAmf0, type AmfValue } from './amf0.ts';
import { defaultLimits } from './limits.ts';
import { messageType } from './messages.ts';
import { Publication } from './publication.ts';
import { RecordingSink } from './test-desk.ts';
import { fault, hex } from './test-fault.ts';

const [hvc1, av01, vp09, opus] = ['68766331', '61763031', '76703039', '4f707573'];
const stage = () => {
  const sink = new RecordingSink();
  const publication = new Publication(sink, defaultLimits);
  const say = (type: number, payload: Buffer, timestamp = 0): boolean => publication.media({ type, streamId: 1, timestamp, payload });
  return { sink, publication, video: (text: string, at?: number) => say(messageType.video, hex(text), at), audio: (text: string, at?: number) => say(messageType.audio, hex(text), at), say };
};
const hvcC = (lengths: string): string => `01 01 60000000 900000000000 3c f000 fc fd f8 f8 0000 ${lengths} 00`;

t.test('HEVC with NAL lengths of two bytes comes out with four, and its record says so', async (t) => {
  const { sink, video } = stage();
  video(`90 ${hvc1} ${hvcC('0d')}`);
  video(`91 ${hvc1} 000021 0003 260188 0002 0201`, 1000);
  t.strictSame(sink.tracks, [{ kind: 'video', codec: 'hevc', config: hex(hvcC('0f')) }]);
  t.strictSame(sink.units, [{ kind: 'video', dts: 1000, pts: 1033, key: true, data: hex('00000003 260188 00000002 0201') }]);
  t.equal(fault(() => video(`90 ${hvc1} 02`)), 'codec-config');
});

t.test('AV1 goes through as it is, the record of VP9 without the head of its box, and Opus as an MP4 has it', async (t) => {
  const { sink, video, audio } = stage();
  video(`90 ${av01} 81040c00 0a0b`);
  video(`a1 ${av01} 3200`, 40);
  video(`90 ${vp09} 01000000 000b82020202 0000`);
  audio(`90 ${opus} 4f70757348656164 01 02 3801 80bb0000 0000 00`);
  audio(`91 ${opus} fcfffe`, 60);
  t.match(sink.tracks, [
    { codec: 'av1', config: hex('81040c00 0a0b') },
    { codec: 'vp9', config: hex('000b82020202 0000') },
    { kind: 'audio', codec: 'opus', config: hex('00 02 0138 0000bb80 0000 00') },
  ]);
  t.match(sink.units, [{ kind: 'video', dts: 40, pts: 40, key: false }, { kind: 'audio', dts: 60, pts: 60, data: hex('fcfffe') }]);
  t.equal(fault(() => audio(`90 ${opus} 4f707573 01`)), 'codec-config');
  t.equal(fault(() => video(`90 ${vp09} 01000000`)), 'codec-config');
});

t.test('how large pictures of VP9 are is told with the first key frame, and when it changes', async (t) => {
  const { sink, video } = stage();
  video(`90 ${vp09} 000b82020202 0000`);
  video(`a1 ${vp09} 8600`);
  video(`91 ${vp09} 82498342 0013f00b30`);
  video(`91 ${vp09} 82498342 0013f00b30`);
  video(`91 ${vp09} 82498342 0027f01670`);
  t.match(sink.tracks.map((track) => ('size' in track ? track.size : null)), [null, { width: 320, height: 180 }, { width: 640, height: 360 }]);
  t.equal(sink.units.length, 4);
  t.equal(fault(() => video(`91 ${vp09} 82ffffff`)), 'codec-config');
});

t.test('frames of a codec that was not announced are dropped and counted', async (t) => {
  const { sink, publication, video, audio } = stage();
  video(`91 ${av01} 3200`);
  audio(`91 ${opus} fcfffe`);
  video(`90 ${av01} 81040c00`);
  video(`91 ${vp09} 82`);
  t.equal(publication.dropped, 3);
  t.strictSame(sink.units, []);
});

t.test('colours are a hint beside what was said before, and damaged ones are counted', async (t) => {
  const { sink, publication, say } = stage();
  const data = (...values: AmfValue[]): Buffer => encodeAmf0(...values);
  const colours = (amf: Buffer): boolean => say(messageType.video, Buffer.concat([hex(`d4 ${hvc1}`), amf]));
  say(messageType.data, data('onMetaData', { videodatarate: 4000 }));
  colours(data('colorInfo', { colorConfig: { bitDepth: 10, transferCharacteristics: 16 } }));
  colours(data('somethingElse', { a: 1 }));
  colours(hex('0200'));
  t.match(sink.hints, [{ videodatarate: 4000 }, { videodatarate: 4000, colorInfo: { colorConfig: { bitDepth: 10 } } }]);
  t.equal(sink.hints.length, 2);
  t.equal(publication.dropped, 1);
});
