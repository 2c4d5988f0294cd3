/** Captions there and back: WebVTT → samples → fragments → WebVTT, judged by mp4box, ffmpeg and the browser's parser. */
import { spawnSync } from 'node:child_process';
import { createFile, MP4BoxBuffer } from 'mp4box';
import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { initSegment } from '../cmaf/init.ts';
import { readFragments, readInit } from '../cmaf/reader.ts';
import { MICROS } from '../media/wire-time.ts';
import { plainText, TEXT_TIMESCALE, type Cue } from './cue.ts';
import { captionFragment, captionSamples, configOf, ticksOf } from './segment.ts';
import { readCues, webVttSegment } from './view.ts';
import { parseWebVtt, WebVttError } from './webvtt.ts';

const init = (blocks: readonly string[] = [], language = 'ko'): Buffer => initSegment({ kind: 'text', codec: 'wvtt', config: configOf(blocks), timescale: TEXT_TIMESCALE, language });
const seconds = (from: number, to: number, text: string, more: Partial<Cue> = {}): Cue => ({ startMicros: from * MICROS, endMicros: to * MICROS, text, ...more });
const sourced = (cues: readonly Cue[]) => cues.map((cue, source) => ({ cue, source }));
const segment = (cues: readonly Cue[], from: number, to: number): Buffer => Buffer.concat(captionFragment(1, sourced(cues), from * 90_000, to * 90_000));
const told = (cues: readonly Cue[]) => cues.map(({ startMicros, endMicros, text }) => [startMicros / MICROS, endMicros / MICROS, text]);

t.test('a file is read as browsers read it, and what cannot be read is said with its line', async (t) => {
  const { cues, blocks, complaints } = parseWebVtt(
    [
      ...['\ufeffWEBVTT - a title', 'Kind: captions', '', 'STYLE', '::cue { color: lime }', '', 'NOTE', 'nothing', ''],
      ...['first', '00:01.000 --> 00:02.500 line:0 align:start', '<i>One</i>', 'two', ''],
      ...['100:00:00.000\t-->\t100:00:01.000', 'late', '00:07.000 --> 00:08.000', 'glued', ''],
      ...['00:03.000 --> 00:03.000', 'no time', '', '00:61.000 --> 00:62.000', 'no second', '', 'words alone', '', '00:04.000 --> 00:05.000', ''],
    ].join('\r\n'),
  );
  t.same(told(cues), [[1, 2.5, '<i>One</i>\ntwo'], [360_000, 360_001, 'late'], [7, 8, 'glued']]);
  t.match(cues[0], { id: 'first', settings: 'line:0 align:start' });
  t.same(blocks, ['STYLE\n::cue { color: lime }']);
  t.same(complaints.map(({ line }) => line), [20, 23, 26, 28]);
  t.throws(() => parseWebVtt('1\n00:00:01,000 --> 00:00:02,000\nSubRip'), { name: 'WebVttError', line: 1 });
  t.throws(() => parseWebVtt(`WEBVTT\n\n${'00:00.000 --> 00:01.000\na\n\n'.repeat(50_001)}`), WebVttError);
  t.throws(() => parseWebVtt(`WEBVTT\n${'x'.repeat(3_000_000)}`), WebVttError);
});

t.test('whatever is a file of lines is read or refused, and what is read comes back', async (t) => {
  const random = new Random(11);
  const pieces = ['WEBVTT', '', '', '00:01.000 --> 00:02.000', '00:00:01.500 --> 01:00:00.000 line:-1', 'text & <b>', 'NOTE', 'STYLE', 'x --> y', '-->', '\0', '\ufeff', '   ', '9'.repeat(30), '00:00:59.999 --> 00:01:00.001'];
  let read = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const lines = Array.from({ length: random.below(12) }, () => pieces[random.below(pieces.length)] ?? '');
    const source = [random.below(10) > 0 ? 'WEBVTT' : '', ...lines].join(['\n', '\r\n', '\r'][random.below(3)]);
    try {
      const { cues } = parseWebVtt(source);
      read += cues.length;
      const back = parseWebVtt(webVttSegment(init(), segment(cues, 0, 2)).toString());
      const inside = cues.filter(({ startMicros }) => startMicros < 2 * MICROS).slice(0, 16);
      if (back.complaints.length > 0 || back.cues.length < Math.min(1, inside.length)) t.fail(`${JSON.stringify(source)}: ${JSON.stringify(back)}`);
    } catch (error) {
      if (!(error instanceof WebVttError)) throw new Error(JSON.stringify(source), { cause: error });
    }
  }
  t.ok(read > 5000, `${read} cues`);
});

t.test('time is cut wherever something begins or ends, and nothing is a sample of its own', async (t) => {
  const samples = captionSamples(sourced([seconds(1, 3, 'a'), seconds(2, 5, 'b'), seconds(7, 20, 'c')]), 0, 8 * 90_000);
  t.same(samples.map(({ duration }) => duration / 90_000), [1, 1, 1, 2, 2, 1]);
  t.same(samples.map(({ data }) => [...data.toString('latin1').matchAll(/payl(.)|vtte/g)].map(([whole, text]) => text ?? whole).join('')), ['vtte', 'a', 'ab', 'b', 'vtte', 'c']);
  t.same(captionSamples([], 0, 100).map(({ duration, data }) => [duration, data.toString('latin1', 4)]), [[100, 'vtte']]);
});

t.test('a cue that goes over borders is told whole in every segment that it is in', async (t) => {
  const cues = [seconds(1, 3.5, 'near', { id: 'one', settings: 'line:0' }), seconds(3, 9.25, 'far\naway')];
  for (const [from, to, expected] of [[0, 4, ['near', 'far\naway']], [4, 8, ['far\naway']], [8, 12, ['far\naway']], [12, 16, []]] as const) {
    const text = webVttSegment(init(['STYLE\n::cue { color: lime }']), segment(cues, from, to)).toString();
    t.match(text, /^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900630,LOCAL:00:00:10\.007\n\nSTYLE\n/);
    const back = parseWebVtt(text);
    t.same(back.complaints, []);
    t.same(told(back.cues), told(cues).filter(([, , said]) => expected.some((one) => one === said)));
  }
  t.match(parseWebVtt(webVttSegment(init(), segment(cues, 0, 4)).toString()).cues[0], { id: 'one', settings: 'line:0' });
});

t.test('random cues on a random grid: every segment tells those that are in it, exactly', async (t) => {
  const random = new Random(5);
  for (let round = 0; round < 200; round += 1) {
    const cues = Array.from({ length: 1 + random.below(10) }, (_, n) => {
      const start = random.below(20_000);
      return seconds(start / 1000, (start + 1 + random.below(6000)) / 1000, `cue ${n}`);
    });
    for (let from = 0; from < 26; from += 2) {
      const back = parseWebVtt(webVttSegment(init(), segment(cues, from, from + 2)).toString()).cues;
      const inside = cues.filter(({ startMicros, endMicros }) => ticksOf(startMicros) < (from + 2) * 90_000 && ticksOf(endMicros) > from * 90_000);
      const sorted = (list: readonly Cue[]) => told(list).map((one) => JSON.stringify(one)).sort();
      if (JSON.stringify(sorted(back)) !== JSON.stringify(sorted(inside))) t.same(sorted(back), sorted(inside));
    }
  }
  t.pass();
});

t.test('mp4box and ffmpeg read the track', async (t) => {
  const cues = [seconds(1, 3, 'eins'), seconds(2, 5, '둘 &amp; <i>drei</i>'), seconds(7, 12, 'vier')];
  const bytes = Buffer.concat([init(), segment(cues, 0, 6), segment(cues, 6, 12)]);
  const file = createFile();
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(bytes).buffer, 0), true);
  const info = file.getInfo();
  t.match(info.tracks[0], { codec: 'wvtt', timescale: 90_000 });
  t.match(file.boxes.filter(({ type }) => type === 'moof').length, 2);
  const made = spawnSync('ffmpeg', ['-v', 'error', '-i', 'pipe:0', '-map', '0:0', '-c', 'copy', '-f', 'null', '-'], { input: bytes });
  t.notMatch(made.stderr.toString(), /Invalid data|moov/);
  t.match(readInit(init()), { kind: 'text', codec: 'wvtt', timescale: 90_000, codecString: 'wvtt' });
  t.ok(init().includes('elng\0\0\0\0ko\0'));
});

t.test('nobody makes gigabytes of a small file, and foreign samples do no harm', async (t) => {
  const many = Array.from({ length: 50_000 }, (_, n) => seconds((n % 1900) / 1000, 2, 'x'.repeat(40)));
  t.ok(segment(many, 0, 2).length < 1_000_000);
  const random = new Random(9);
  const good = segment([seconds(0, 5, 'abc')], 0, 2);
  const at = readFragments(good)[0]?.mdatOffset ?? 0;
  let refused = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const spoilt = Buffer.from(good);
    for (let count = 1 + random.below(4); count > 0; count -= 1) spoilt[at + 8 + random.below(good.length - at - 8)] = random.below(256);
    try {
      readCues(spoilt);
    } catch (error) {
      if (!(error instanceof CmafError)) throw error;
      refused += 1;
    }
  }
  t.ok(refused > 1000);
});

t.test('plain text stays plain text', async (t) => {
  const text = plainText('a <b> & c --> d\r\n\r\n\u0007e');
  t.equal(text, 'a &lt;b&gt; &amp; c --&gt; d\n e');
  t.same(told(parseWebVtt(webVttSegment(init(), segment([seconds(0, 1, text)], 0, 2)).toString()).cues), [[0, 1, text]]);
});
