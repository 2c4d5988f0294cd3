import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { probe, type Packet } from '../../../test/support/ffmpeg.ts';
import { Random } from '../../../test/support/random.ts';
import { parseAudioSpecificConfig } from '../aac.ts';
import { parseAvcConfig, parseSps } from '../h264.ts';
import { parseHevcConfig } from '../hevc-config.ts';
import { textTag } from '../id3.ts';
import { parseOpusConfig } from '../opus.ts';
import { pictureFacts } from '../picture-facts.ts';
import { aac, Collected, demux, h264, inPacket, madeBy, packets, pes, tables } from './test-stream.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-ts-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const probed = async (bytes: Buffer, kind: 'v' | 'a'): Promise<Packet[]> => {
  const file = path.join(folder, `${kind}.ts`);
  writeFileSync(file, bytes);
  const { packets: found = [] } = await probe(file, '-show_packets', '-select_streams', kind);
  return found;
};
const usual = await madeBy(...h264, ...aac);
const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-g', '30', '-x265-params', 'log-level=none:bframes=2:pools=1:frame-threads=1', '-pix_fmt', 'yuv420p'];
const opus = ['-c:a', 'libopus', '-b:a', '64k'];
const modern = await madeBy(...hevc, ...opus);
const none = Buffer.alloc(0);
const wrapped = 2 ** 33;

t.test('every frame of ffmpeg’s stream, with its stamps, however the bytes are cut', async (t) => {
  const pictures = await probed(usual, 'v');
  const sound = await probed(usual, 'a');
  t.equal(pictures.length, 60);
  for (const piece of [1316, 188, 97, usual.length]) {
    const seen = demux(usual, piece);
    t.same(seen.of('video').map(({ pts, dts, key }) => [pts, dts, key]), pictures.map(({ pts, dts, flags }) => [pts, dts, flags.startsWith('K')]));
    // Millisecond-true rounding differs by a tick where one PES packet holds several frames.
    t.same(seen.of('audio').length, sound.length);
    t.ok(seen.of('audio').every(({ pts }, index) => Math.abs(pts - (sound[index]?.pts ?? 0)) <= 1));
    t.same(seen.of('audio').map(({ data }) => data.length + 7), sound.map(({ size }) => Number(size)));
    t.same(seen.demuxer.counters, { gaps: 0, damaged: 0, skipped: 0 });
    t.same(seen.tracks.map(({ codec }) => codec).sort(), ['aac', 'h264']);
  }
  const { tracks } = demux(usual);
  const avc = parseAvcConfig(tracks.find(({ kind }) => kind === 'video')?.config ?? Buffer.alloc(0));
  t.match(parseSps(avc.sps[0] ?? Buffer.alloc(0)), { width: 320, height: 180 });
  t.match(parseAudioSpecificConfig(tracks.find(({ kind }) => kind === 'audio')?.config ?? Buffer.alloc(0)), { sampleRate: 48_000, channels: 1, objectType: 2 });
});

t.test('HEVC and Opus: every picture and every packet of ffmpeg’s stream, with their stamps', async (t) => {
  const pictures = await probed(modern, 'v');
  const sound = await probed(modern, 'a');
  for (const piece of [1316, 97]) {
    const seen = demux(modern, piece);
    t.same(seen.of('video').map(({ pts, dts, key }) => [pts, dts, key]), pictures.map(({ pts, dts, flags }) => [pts, dts, flags.startsWith('K')]));
    t.same(seen.of('audio').map(({ data }) => data.length), sound.map(({ size }) => Number(size)));
    t.ok(seen.of('audio').every(({ pts }, index) => Math.abs(pts - (sound[index]?.pts ?? 0)) <= 1));
    t.same(seen.demuxer.counters, { gaps: 0, damaged: 0, skipped: 0 });
    t.same(seen.tracks.map(({ codec }) => codec).sort(), ['hevc', 'opus'], 'each is announced once');
  }
  t.equal(pictures.length, 60);
  const { tracks } = demux(modern);
  const [picture, heard] = [tracks.find(({ kind }) => kind === 'video'), tracks.find(({ kind }) => kind === 'audio')];
  t.match(picture?.kind === 'video' && pictureFacts(picture), { size: { width: 320, height: 180 }, codecString: /^hvc1\.1\./ });
  t.same(parseOpusConfig(heard?.config ?? Buffer.alloc(0)), { channels: 1, preSkip: 0, streams: 1, coupled: 0 });
});

t.test('Opus in 5.1: four streams, two of them pairs, as libopus lays them', async (t) => {
  const seen = demux(await madeBy('-map', '1:a', '-af', 'aformat=channel_layouts=5.1', ...opus));
  t.same(parseOpusConfig(seen.tracks[0]?.config ?? Buffer.alloc(0)), { channels: 6, preSkip: 0, streams: 4, coupled: 2 });
  t.ok(seen.of('audio').length >= 100);
  t.equal(seen.demuxer.counters.skipped, 0);
});

t.test('Opus with trimming, an extension, and a packet longer than one byte can say', (t) => {
  const sent = [Buffer.alloc(300, 1), Buffer.alloc(255, 2), Buffer.alloc(40, 3)].map((bytes) => Buffer.concat([Buffer.from([0xfc]), bytes]));
  const [long = none, even = none, short = none] = sent;
  const framed = Buffer.concat([
    Buffer.from([0x7f, 0xf0, 255, 301 - 255, 0x01, 0x38]), long,
    Buffer.from([0x7f, 0xec, 255, 1, 0x00, 0x10, 2, 9, 9]), even,
    Buffer.from([0x7f, 0xe0, 41]), short,
  ]);
  const stereo = [0x05, 4, ...Buffer.from('Opus'), 0x7f, 2, 0x80, 2];
  const seen = demux(Buffer.concat([tables([{ type: 6, pid: 0x101, descriptors: stereo }]), packets(0x101, pes(0xbd, 90_000, framed))]));
  t.same(seen.of('audio').map(({ data }) => data), sent);
  t.same(seen.of('audio').map(({ pts }) => pts), [90_000, 91_800, 93_600]);
  t.end();
});

t.test('Opus that does not say its channels is named', (t) => {
  for (const more of [[], [0x7f, 2, 0x80, 0], [0x7f, 2, 0x80, 0x82], [0x7f, 1, 0x80], [0x7f, 2, 6, 2]]) {
    const seen = demux(Buffer.concat([tables([{ type: 6, pid: 0x101, descriptors: [0x05, 4, ...Buffer.from('Opus'), ...more] }]), packets(0x1f0, Buffer.alloc(184, 1))]));
    t.same(seen.findings, [{ code: 'unsupported-codec', media: 'audio', codec: 'Opus with channels in an order of its own' }]);
  }
  t.end();
});

t.test('several pictures of HEVC in one PES packet', (t) => {
  const source = demux(modern);
  const [first, second, third] = source.of('video');
  const config = source.tracks.find(({ kind }) => kind === 'video')?.config ?? none;
  const { vps, sps, pps } = parseHevcConfig(config);
  const code = Buffer.from([0, 0, 1]);
  const units = (data: Buffer): Buffer => {
    const parts: Buffer[] = [];
    for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at)) parts.push(code, data.subarray(at + 4, at + 4 + data.readUInt32BE(at)));
    return Buffer.concat(parts);
  };
  const stream = Buffer.concat([...[...vps, ...sps, ...pps].flatMap((set) => [code, set]), ...[first, second, third].map((unit) => units(unit?.data ?? none))]);
  const seen = demux(Buffer.concat([tables([{ type: 0x24, pid: 0x100 }]), packets(0x100, pes(0xe0, 90_000, stream))]));
  t.same(seen.of('video').map(({ data }) => data), [first?.data, second?.data, third?.data]);
  t.same(seen.of('video').map(({ pts }) => pts), [90_000, 93_000, 96_000]);
  t.end();
});

t.test('LATM holds the same frames as ADTS', async (t) => {
  const plain = demux(usual);
  const seen = demux(await madeBy(...h264, ...aac, '-mpegts_flags', 'latm'));
  const [a, b] = [plain.of('audio'), seen.of('audio')];
  t.equal(b.length, a.length);
  t.same(b.map(({ data }) => data), a.map(({ data }) => data));
  t.ok(b.every(({ pts }, index) => Math.abs(pts - (a[index]?.pts ?? 0)) <= 2));
  t.match(parseAudioSpecificConfig(seen.tracks.find(({ kind }) => kind === 'audio')?.config ?? Buffer.alloc(0)), { sampleRate: 48_000, channels: 1 });
});

t.test('channels in numbers of six, and rates of 44100', async (t) => {
  const seen = demux(await madeBy('-map', '1:a', '-ac', '6', '-ar', '44100', '-c:a', 'aac'));
  t.match(parseAudioSpecificConfig(seen.tracks[0]?.config ?? Buffer.alloc(0)), { sampleRate: 44_100, channels: 6 });
  const steps = seen.of('audio').slice(1).map(({ pts }, index) => pts - (seen.of('audio')[index]?.pts ?? 0));
  t.ok(steps.every((step) => Math.abs(step - 2090) <= 1));
});

t.test('channels without a number: the layout of the first frame holds for all', async (t) => {
  const seen = demux(await madeBy('-map', '1:a', '-af', 'aformat=channel_layouts=quad', '-c:a', 'aac'));
  t.equal(seen.tracks.length, 1);
  t.match(parseAudioSpecificConfig(seen.tracks[0]?.config ?? Buffer.alloc(0)), { sampleRate: 48_000, channels: 4, channelConfiguration: 0 });
  t.ok(seen.of('audio').length > 90);
  t.equal(seen.demuxer.counters.skipped, 0);
});

t.test('stamps are those of the wire, across the wrap', async (t) => {
  const seen = demux(await madeBy(...h264, ...aac, '-output_ts_offset', String(wrapped / 90_000 - 1.5 - 1.4)));
  for (const kind of ['video', 'audio'] as const) {
    const stamps = seen.of(kind).map(({ dts }) => dts);
    t.ok(stamps.some((dts) => dts > wrapped - 90_000) && stamps.some((dts) => dts < 90_000), `${kind} wraps`);
    t.ok(stamps.slice(1).every((dts, index) => Math.abs(((dts - (stamps[index] ?? 0) + wrapped) % wrapped) - (kind === 'video' ? 3000 : 1920)) <= 1));
  }
});

t.test('a stream that has lost packets gives whole frames only, and goes on', async (t) => {
  const whole = new Set(demux(usual).units.map(({ data }) => data.toString('hex')));
  const random = new Random(11);
  const kept: Buffer[] = [];
  for (let at = 0; at < usual.length; at += 188) if (random.below(50) > 0) kept.push(usual.subarray(at, at + 188));
  const seen = demux(Buffer.concat(kept));
  t.ok(seen.units.length > whole.size / 3 && seen.units.length < whole.size);
  t.ok(seen.units.every(({ data }) => whole.has(data.toString('hex'))), 'none of them is patched together');
  t.ok(seen.demuxer.counters.gaps > 0);
});

t.test('a stream that is cut off anywhere ends with a whole picture', async (t) => {
  const whole = new Set(demux(usual).units.map(({ data }) => data.toString('hex')));
  for (let cut = 150; cut < 450; cut += 1) {
    const { units } = demux(usual.subarray(0, 188 * cut));
    const patched = units.filter(({ data }) => !whole.has(data.toString('hex')));
    if (patched.length > 0) t.fail(`${patched.length} pictures are not whole behind ${cut} packets`);
  }
});

t.test('garbage between packets costs what it covers', async (t) => {
  const at = 188 * 200;
  const random = new Random(5);
  const seen = demux(Buffer.concat([random.bytes(1000), usual.subarray(0, at), random.bytes(777), usual.subarray(at)]));
  t.ok(seen.units.length >= demux(usual).units.length - 2);
  t.ok(seen.demuxer.counters.skipped >= 1777 - 3 * 188);
});

t.test('a loss that the sender knows of joins no two halves', async (t) => {
  const seen = new Collected();
  const cut = 188 * 100 + 50;
  seen.demuxer.push(usual.subarray(0, cut));
  seen.demuxer.lost(4);
  seen.demuxer.push(usual.subarray(cut + 188 * 3 + 20));
  seen.demuxer.end();
  const whole = new Set(demux(usual).units.map(({ data }) => data.toString('hex')));
  t.ok(seen.units.every(({ data }) => whole.has(data.toString('hex'))));
  t.ok(seen.units.length > whole.size / 2);
});

t.test('a loss after which the counters fit by chance joins no two halves either', async (t) => {
  const whole = new Set(demux(usual).units.map(({ data }) => data.toString('hex')));
  const isVideo = (at: number): boolean => (usual.readUInt16BE(at + 1) & 0x1fff) === 0x100;
  for (let cut = 188 * 100; cut < 188 * 160; cut += 188) {
    let end = cut;
    for (let left = 16; left > 0; end += 188) if (isVideo(end)) left -= 1;
    const seen = new Collected();
    seen.demuxer.push(usual.subarray(0, cut));
    seen.demuxer.lost((end - cut) / 188);
    seen.demuxer.push(usual.subarray(end));
    seen.demuxer.end();
    const patched = seen.units.filter(({ data }) => !whole.has(data.toString('hex')));
    if (patched.length > 0) t.fail(`${patched.length} pictures are patched together`);
  }
});

t.test('two small losses that make a whole turn of the counter join no two halves either', async (t) => {
  const whole = new Set(demux(usual).units.map(({ data }) => data.toString('hex')));
  const pidAt = (at: number): number => usual.readUInt16BE(at + 1) & 0x1fff;
  let patched = 0;
  let turns = 0;
  const without = (pieces: readonly (Buffer | number)[]): void => {
    const seen = new Collected();
    for (const piece of pieces) {
      if (typeof piece === 'number') seen.demuxer.lost(piece);
      else seen.demuxer.push(piece);
    }
    seen.demuxer.end();
    turns += 1;
    patched += seen.units.filter(({ data }) => !whole.has(data.toString('hex'))).length;
  };
  for (let cut = 188 * 100; cut < 188 * 400; cut += 188) {
    // A piece of two packets between them, which are too few to be believed.
    if (Array.from({ length: 16 }, (_, index) => pidAt(cut + 188 * index)).every((pid) => pid === 0x100)) {
      without([usual.subarray(0, cut), 7, usual.subarray(cut + 188 * 7, cut + 188 * 9), 7, usual.subarray(cut + 188 * 16)]);
      // One less: the next looks like one that comes twice.
      without([usual.subarray(0, cut), 7, usual.subarray(cut + 188 * 7, cut + 188 * 8), 7, usual.subarray(cut + 188 * 15)]);
    }
    // Sound alone between them: the counter of the pictures says nothing.
    let sound = 0;
    while (sound < 14 && pidAt(cut + 188 * (8 + sound)) === 0x101) sound += 1;
    const end = cut + 188 * (16 + sound);
    const pictures = (from: number, to: number): boolean => Array.from({ length: (to - from) / 188 }, (_, index) => pidAt(from + 188 * index)).every((pid) => pid === 0x100);
    if (sound >= 3 && pictures(cut, cut + 188 * 8) && pictures(end - 188 * 8, end)) {
      without([usual.subarray(0, cut), 8, usual.subarray(cut + 188 * 8, end - 188 * 8), 8, usual.subarray(end)]);
    }
  }
  t.ok(turns > 10, `${turns} turns`);
  t.equal(patched, 0);
});

t.test('packets that come twice count once', async (t) => {
  const doubled: Buffer[] = [];
  for (let at = 0; at < usual.length; at += 188) doubled.push(usual.subarray(at, at + 188), usual.subarray(at, at + 188));
  t.same(demux(Buffer.concat(doubled)).units, demux(usual).units);
});

t.test('what cannot be carried is named once, and the rest goes on', async (t) => {
  const cases: [string[], 'video' | 'audio', string][] = [
    [[...h264, '-c:a', 'libmp3lame'], 'audio', 'MP3'],
    [[...h264, '-c:a', 'ac3'], 'audio', 'AC-3'],
    [['-c:v', 'mpeg2video', ...aac], 'video', 'MPEG-2 video'],
  ];
  for (const [how, media, codec] of cases) {
    const seen = demux(await madeBy(...how));
    t.same(seen.findings, [{ code: 'unsupported-codec', media, codec }]);
    t.equal(seen.of(media).length, 0);
    t.ok(seen.of(media === 'video' ? 'audio' : 'video').length > 50);
  }
});

t.test('a second track of sound is told of, and the first one taken', async (t) => {
  const seen = demux(await madeBy('-map', '0:v', '-map', '1:a', '-map', '1:a', ...h264, ...aac));
  t.same(seen.findings, [{ code: 'extra-track', media: 'audio' }]);
  t.equal(seen.of('audio').length, demux(usual).of('audio').length);
});

t.test('another PMT: other PIDs, other sound, another size of picture', async (t) => {
  const other = await madeBy(...h264, '-vf', 'scale=640:360', ...aac, '-ac', '2', '-mpegts_pmt_start_pid', '0x0f00', '-mpegts_start_pid', '0x0200');
  const third = await madeBy('-map', '1:a', ...aac, '-mpegts_pmt_start_pid', '0x0f00');
  const seen = demux(Buffer.concat([usual, other, third]));
  t.equal(seen.of('video').length, 120);
  t.equal(seen.of('audio').length, [usual, other, third].reduce((sum, one) => sum + demux(one).of('audio').length, 0));
  t.same(seen.tracks.map(({ codec }) => codec), ['h264', 'aac', 'h264', 'aac', 'aac']);
});

t.test('pictures in packets with lengths: what has no stamp goes on with what had one', async (t) => {
  const source = demux(usual);
  const [config] = source.tracks.filter(({ kind }) => kind === 'video').map((track) => parseAvcConfig(track.config));
  const code = Buffer.from([0, 0, 0, 1]);
  const first = source.of('video').find(({ key }) => key)?.data ?? Buffer.alloc(0);
  const idr = first.subarray(8 + first.readUInt32BE(0)); // behind x264's greeting
  const big = Buffer.concat([idr, Buffer.alloc(90_000, 0x5a)]);
  const stream = Buffer.concat([code, config?.sps[0] ?? code, code, config?.pps[0] ?? code, code, big]);
  const parts = [stream.subarray(0, 65_000), stream.subarray(65_000)];
  const bytes: Buffer[] = [tables([{ type: 0x1b, pid: 0x100 }])];
  let counter = 0;
  for (const [index, data] of parts.entries()) {
    const made = packets(0x100, pes(0xe0, index === 0 ? 90_000 : null, data), counter);
    counter += made.length / 188;
    bytes.push(made);
  }
  bytes.push(packets(0x100, pes(0xe0, 93_000, Buffer.concat([code, idr])), counter));
  const seen = demux(Buffer.concat(bytes));
  t.same(seen.of('video').map(({ pts, key, data }) => [pts, key, data.length]), [[90_000, true, big.length + 4], [93_000, true, idr.length + 4]]);
});

t.test('ID3 and splices come out as events, at their time', async (t) => {
  const tag = textTag('song', 'a title that is long enough for two packets. '.repeat(6));
  const id3 = [0x26, 13, 0xff, 0xff, 0x49, 0x44, 0x33, 0x20, 0xff, 0x49, 0x44, 0x33, 0x20, 0, 0x0f];
  // SCTE 35, annex A, 14.2: a splice_insert.
  const splice = Buffer.from('fc302f000000000000fffff014054800008f7feffe7369c02efe0052ccf500000000000a0008435545490000013562dba30a', 'hex');
  const seen = demux(Buffer.concat([
    tables([{ type: 0x1b, pid: 0x100 }, { type: 0x15, pid: 0x102, descriptors: id3 }, { type: 0x86, pid: 0x103 }]),
    packets(0x102, pes(0xbd, 900_000, tag)),
    inPacket(0x103, 0, splice),
    packets(0x1f0, Buffer.alloc(184, 1)),
  ]));
  t.same(seen.events, [
    { scheme: 'id3', pts: 900_000, duration: null, data: tag },
    { scheme: 'scte35', pts: 0x7369c02e, duration: null, data: splice },
  ]);
});

for (const [name, stream] of Object.entries({ 'H.264 and AAC': usual, 'HEVC and Opus': modern })) {
  t.test(`100,000 spoiled streams of ${name}: no error, no unit that is not whole, and nothing that grows`, (t) => {
    const random = new Random(2026);
    const head = stream.subarray(0, 188 * 3);
    let units = 0;
    let at = 0;
    let collected = new Collected();
    for (let round = 0; round < 100_000; round += 1) {
      if (round % 200 === 0) collected = new Collected();
      // Half of it goes on where it was, so that there is something to spoil.
      const size = 188 * (1 + random.below(12));
      if (at + size > stream.length) at = 0;
      const piece = stream.subarray(at, at + size);
      at += size;
      if (round % 20 === 0) collected.demuxer.push(head);
      if (round % 10 === 9) collected.demuxer.push(random.bytes(random.below(600)));
      else collected.demuxer.push(round % 3 === 0 ? random.mutate(piece) : piece);
      if (round % 70 === 0) collected.demuxer.lost(random.below(32));
      if (round % 200 === 199) collected.demuxer.end();
      units += collected.units.length;
      for (const { kind, data, pts, dts } of collected.units.splice(0)) {
        if (!(pts >= 0 && pts < wrapped && dts >= 0 && dts < wrapped) || data.length === 0) t.fail(`a unit at ${pts}`);
        for (let from = 0; kind === 'video' && from < data.length; ) {
          from += 4 + data.readUInt32BE(from);
          if (from > data.length) t.fail('a picture whose lengths do not add up');
        }
      }
    }
    t.ok(units > 10_000, `${units} units in all`);
    t.end();
  });
}
