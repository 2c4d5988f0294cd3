import t from 'tap';
import { readEnhancedAudio, readEnhancedVideo } from './enhanced-tags.ts';
import { RtmpError } from './errors.ts';
import { readAudioTag, readVideoTag } from './flv-tags.ts';
import { Random } from './test-random.ts';
import { fault, hex } from './test-fault.ts';

const [avc1, hvc1, av01, vp09, opus, mp4a] = ['61766331', '68766331', '61763031', '76703039', '4f707573', '6d703461'];

t.test('pictures of one track', async (t) => {
  t.strictSame(readVideoTag(hex(`90 ${av01} 8104`)), { kind: 'config', codec: 'av1', config: hex('8104') });
  t.strictSame(readVideoTag(hex(`91 ${av01} 1200`)), { kind: 'frame', codec: 'av1', key: true, offset: 0, data: hex('1200') });
  t.strictSame(readVideoTag(hex(`a1 ${vp09} 86`)), { kind: 'frame', codec: 'vp9', key: false, offset: 0, data: hex('86') });
  t.strictSame(readVideoTag(hex(`91 ${hvc1} 000042 00000002 2601`)), { kind: 'frame', codec: 'hevc', key: true, offset: 66, data: hex('00000002 2601') });
  t.match(readVideoTag(hex(`a1 ${avc1} ffffdf 00000001 41`)), { codec: 'h264', key: false, offset: -33, data: hex('00000001 41') }, 'the offset is signed');
  t.strictSame(readVideoTag(hex(`a3 ${hvc1} 00000002 0201`)), { kind: 'frame', codec: 'hevc', key: false, offset: 0, data: hex('00000002 0201') }, 'no offset on the wire');
  t.strictSame(readVideoTag(hex(`d4 ${hvc1} 02`)), { kind: 'metadata', amf: hex('02') }, 'colours come as a command frame');
  for (const empty of [`92 ${av01}`, `90 ${av01}`, `91 ${av01}`, `91 ${hvc1} 0000`, `91 ${hvc1} 000000`, 'd1 00', 'd0', `98 ${av01} 01`, `9f ${av01} 01`]) {
    t.strictSame(readVideoTag(hex(empty)), { kind: 'nothing' }, empty);
  }
});

t.test('frames of sound', async (t) => {
  t.strictSame(readAudioTag(hex(`90 ${opus} 4f70`)), { kind: 'config', codec: 'opus', config: hex('4f70') });
  t.strictSame(readAudioTag(hex(`91 ${opus} fcff`)), { kind: 'frame', codec: 'opus', key: true, offset: 0, data: hex('fcff') });
  t.strictSame(readAudioTag(hex(`91 ${mp4a} 2122`)), { kind: 'frame', codec: 'aac', key: true, offset: 0, data: hex('2122') });
  t.strictSame(readAudioTag(hex(`94 ${opus} 0102`)), { kind: 'nothing' }, 'what the channels are called');
  t.strictSame(readAudioTag(hex(`91 ${opus}`)), { kind: 'nothing' }, 'silence');
});

t.test('what is not carried is named, and never written to a log as it came', async (t) => {
  t.match(readVideoTag(hex('90 76703038 00')), { kind: 'unsupported', codec: 'vp08 (Enhanced RTMP)' });
  t.match(readVideoTag(hex('90 00ff0a0d 00')), { kind: 'unsupported', codec: 'Enhanced RTMP' });
  t.match(readVideoTag(hex(`95 ${av01} 8004`)), { kind: 'unsupported', codec: 'av01 configured as in MPEG-TS (Enhanced RTMP)' });
  t.match(readAudioTag(hex('90 61632d33')), { kind: 'unsupported', codec: 'ac-3 (Enhanced RTMP)' });
  for (const name of ['toString'.slice(0, 4), '__pr']) t.match(readAudioTag(Buffer.from(`\x91${name}`, 'latin1')).kind, 'unsupported');
});

t.test('modifiers are skipped, however many and however long', async (t) => {
  const frame = { kind: 'frame', codec: 'av1', key: true, offset: 0, data: hex('1200') };
  t.strictSame(readVideoTag(hex(`97 02 0f4240 01 ${av01} 1200`)), frame, 'a time in nanoseconds');
  t.strictSame(readVideoTag(hex(`97 02 0f4240 07 00 aa f1 ${av01} 1200`)), frame, 'two, one of which nobody knows');
  t.strictSame(readVideoTag(Buffer.concat([hex('97 ff 012b'), Buffer.alloc(300), hex(`01 ${av01} 1200`)])), frame, 'a length of two bytes');
  t.match(readAudioTag(hex(`97 00 aa 01 ${opus} fc`)), { codec: 'opus', data: hex('fc') });
  t.equal(fault(() => readVideoTag(hex('97 ff ffff 00'))), 'enhanced-header');
  t.equal(fault(() => readVideoTag(hex('97 02 0f42'))), 'enhanced-header');
});

t.test('of several tracks the first is taken, in whatever form they come', async (t) => {
  t.match(readVideoTag(hex(`96 01 ${av01} 00 1200`)), { kind: 'frame', codec: 'av1', data: hex('1200') }, 'one track');
  t.match(readVideoTag(hex(`96 01 ${av01} 03 1200`)), { kind: 'nothing' }, 'one, which is not the first');
  t.match(readVideoTag(hex(`96 10 ${av01} 01 000001 ff 00 000002 8104`)), { kind: 'config', codec: 'av1', config: hex('8104') }, 'many of one codec');
  t.match(readVideoTag(hex(`96 21 ${vp09} 01 000001 ff ${hvc1} 00 000005 00000a 2601`)), { kind: 'frame', codec: 'hevc', offset: 10, data: hex('2601') }, 'many of several');
  t.match(readAudioTag(hex(`95 11 ${opus} 00 000001 fc 01 000001 f8`)), { kind: 'frame', codec: 'opus', data: hex('fc') });
  t.match(readAudioTag(hex(`95 01 ${mp4a} 01 2122`)), { kind: 'nothing' }, 'the second sound, for recordings elsewhere');
  t.match(readVideoTag(hex(`96 31 ${av01} 00`)), { kind: 'nothing' }, 'a form that nobody knows');
  t.equal(fault(() => readVideoTag(hex(`96 11 ${av01} 00 000009 12`))), 'enhanced-header', 'longer than its message');
});

t.test('100,000 damaged enhanced packets: a tag inside its bytes, or an RtmpError', async (t) => {
  const random = new Random(53);
  const good = [
    ...[`91 ${av01} 12000a0b`, `91 ${hvc1} 000042 00000002 2601`, `97 02 0f4240 07 00 aa 01 ${vp09} 8649`, `90 ${opus} 4f707573`],
    ...[`96 11 ${av01} 01 000001 ff 00 000002 8104`, `96 21 ${vp09} 01 000001 ff ${hvc1} 00 000005 00000a 2601`, `95 21 ${opus} 00 000002 fcff`],
  ].map(hex) as [Buffer, ...Buffer[]];
  const seen: Record<string, number> = {};
  for (let round = 0; round < 100_000; round += 1) {
    const body = round % 8 === 0 ? random.bytes(1 + random.below(60)) : random.spoil(random.pick(good));
    if (body.length === 0) continue;
    for (const read of [readEnhancedVideo, readEnhancedAudio]) {
      try {
        const tag = read(body);
        seen[tag.kind] = (seen[tag.kind] ?? 0) + 1;
        if (tag.kind === 'frame' && (tag.data.length === 0 || tag.data.length > body.length)) throw new Error('not inside');
      } catch (error) {
        if (!(error instanceof RtmpError)) throw error;
        seen['refused'] = (seen['refused'] ?? 0) + 1;
      }
    }
  }
  for (const kind of ['frame', 'config', 'nothing', 'unsupported', 'refused']) t.ok((seen[kind] ?? 0) > 1000, `${kind}: ${seen[kind]}`);
});
