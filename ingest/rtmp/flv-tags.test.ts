import t from 'tap';
import { RtmpError } from './errors.ts';
import { readAudioTag, readVideoTag } from './flv-tags.ts';
import { avcLengths, withFourByteLengths } from './nal-lengths.ts';
import { Random } from './test-random.ts';
import { fault, hex } from './test-fault.ts';

t.test('video tags', async (t) => {
  t.strictSame(readVideoTag(hex('17 00 000000 0142c00dff')), { kind: 'config', codec: 'h264', config: hex('0142c00dff') });
  const frame = hex('17 01 000042 00000001 65');
  const tag = readVideoTag(frame);
  t.strictSame(tag, { kind: 'frame', codec: 'h264', key: true, offset: 66, data: hex('00000001 65') });
  t.equal(tag.kind === 'frame' && tag.data.buffer === frame.buffer, true, 'nothing is copied');
  t.match(readVideoTag(hex('27 01 ffffdf 00000001 41')), { key: false, offset: -33 }, 'the offset is signed');
  for (const empty of [
    '',
    '17',
    '17 01',
    '17 01 000000',
    '17 00 000000',
    '17 02 000000 00',
    '57 00',
    '52 01',
    '17 09 000000 00',
  ]) {
    t.strictSame(readVideoTag(hex(empty)), { kind: 'nothing' }, empty);
  }
  t.match(readVideoTag(hex('1c 00 000000 01')), { kind: 'unsupported', codec: /HEVC/ });
});

t.test('audio tags', async (t) => {
  t.strictSame(readAudioTag(hex('af 00 1190')), { kind: 'config', codec: 'aac', config: hex('1190') });
  t.strictSame(readAudioTag(hex('af 01 2122')), { kind: 'frame', codec: 'aac', key: true, offset: 0, data: hex('2122') });
  for (const empty of ['', 'af', 'af 01', 'af 00', 'af 07 11'])
    t.strictSame(readAudioTag(hex(empty)), { kind: 'nothing' });
  t.match(readAudioTag(hex('2f ff')), { kind: 'unsupported', codec: 'MP3' });
});

t.test('NAL units behind lengths of 1, 2 and 3 bytes are handed over behind 4, and the record says so', async (t) => {
  const four = hex('00000002 6588 00000001 09');
  t.equal(withFourByteLengths(four, 4), four, 'the normal case is not touched');
  t.strictSame(withFourByteLengths(hex('02 6588 01 09'), 1), four);
  t.strictSame(withFourByteLengths(hex('0002 6588 0001 09'), 2), four);
  t.strictSame(withFourByteLengths(hex('000002 6588 000001 09'), 3), four);
  const record = hex('0142c00d fd e10000');
  t.strictSame(avcLengths(record), { lengthSize: 2, config: hex('0142c00d ff e10000') });
  t.strictSame(record, hex('0142c00d fd e10000'), 'the original is as it was');
  const normal = hex('0142c00d ff e10000');
  t.equal(avcLengths(normal).config, normal);
  t.equal(
    fault(() => avcLengths(hex('0242c00d ff e10000'))),
    'avc-config',
  );
  t.equal(
    fault(() => avcLengths(hex('0142c00d ff'))),
    'avc-config',
  );
  t.equal(
    fault(() => withFourByteLengths(Buffer.alloc(10 << 20), 1)),
    'avc-lengths',
    'a unit in every byte',
  );
  t.equal(
    fault(() => withFourByteLengths(hex('05 6588'), 1)),
    'avc-lengths',
  );
  t.equal(
    fault(() => withFourByteLengths(hex('0002 6588 00'), 2)),
    'avc-lengths',
  );
});

t.test('100,000 damaged tags: a tag or an RtmpError', async (t) => {
  const random = new Random(11);
  const good = hex('17 01 000042 0002 6588 0001 09 0003 010203');
  let faults = 0;
  for (let round = 0; round < 100_000; round += 1) {
    const body = round % 4 === 0 ? random.bytes(random.below(40)) : random.spoil(good);
    try {
      const video = readVideoTag(body);
      if (video.kind === 'config') avcLengths(video.config);
      if (video.kind === 'frame') {
        const wide = withFourByteLengths(video.data, 1 + random.below(3));
        if (wide.length > video.data.length * 4) throw new Error('grew');
      }
      readAudioTag(body);
    } catch (error) {
      faults += 1;
      if (!(error instanceof RtmpError)) throw error;
    }
  }
  t.ok(faults > 1_000, `${faults} were refused`);
});
