/**
 * Files that mean harm, and files that are only broken: each comes to a clear end within ten seconds, with nothing of it
 * left behind, and nothing of this machine in what came out.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { deflateSync } from 'node:zlib';
import { cutEnds, cutKinds, cutShort } from '../../test/support/cut-short.ts';
import { encoded } from '../../test/support/encoded.ts';
import { noPrograms } from '../../test/support/left-behind.ts';
import { random } from '../../packager/log/sample.ts';
import { matroska } from './crafted-matroska.ts';
import { aac, picture, tone, vp9, x264 } from './exactness.ts';
import { leftOvers, testIntake } from './testing.ts';
import { failureCodes } from './types.ts';

const shop = await testIntake(t);
const clearWithinMs = 10_000;

/** Whatever could be read by mistake lies beside the original and where programs work: real media, and a secret. */
const secret = 'root:x:0:0:the secret';
const plant = async (video: string): Promise<void> => {
  const place = join(shop.data, 'videos', video);
  await Promise.all([writeFile(join(place, 'secret.txt'), secret), writeFile(join(place, 'other.ts'), await readFile(await encoded('ts', [...picture(), ...tone(), ...x264, ...aac])))]);
};

type End = { readonly state: string; readonly code: string | null; readonly ms: number };

const ends = async (original: Buffer): Promise<End> => {
  const video = await shop.upload(original);
  await plant(video);
  const begun = performance.now();
  await shop.intake.whole(video);
  const { state, errorCode, errorMessage } = await shop.settled(video);
  if (state === 'failed' && !failureCodes.some((code) => code === errorCode)) throw new Error(`${errorCode} is no code that pages know`);
  if (state === 'failed' && !/^[A-Z].*[.]$/s.test(errorMessage ?? '')) throw new Error(`no sentence: ${errorMessage}`);
  return { state, code: errorCode, ms: performance.now() - begun };
};

/** A test after which nothing is left. */
const trial = (name: string, run: (t: Test) => Promise<void>): unknown =>
  t.test(name, async (t) => {
    await run(t);
    t.same(await leftOvers(shop), [], 'nothing is left of the work');
    t.ok(await noPrograms(shop.jobs), 'no program is left');
  });

const inBoxes = (...boxes: readonly (readonly [string, Buffer])[]): Buffer =>
  Buffer.concat(
    boxes.flatMap(([type, body]) => {
      const head = Buffer.alloc(8, type.padStart(8, '\0'), 'latin1');
      head.writeUInt32BE(body.length + 8);
      return [head, body];
    }),
  );

const playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nother.ts\n#EXT-X-ENDLIST\n';

const disguised: Record<string, string> = {
  'a playlist of a neighbour': playlist,
  'a playlist of a secret': playlist.replace('other.ts', '/etc/passwd'),
  'a playlist of an address': playlist.replace('other.ts', 'http://127.0.0.1:1/x.ts'),
  'a playlist whose key and map are files': playlist.replace('#EXTINF', '#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXT-X-MAP:URI="file:///etc/passwd"\n#EXTINF'),
  'a playlist of itself': playlist.replace('other.ts', 'input'),
  'a list of a neighbour': 'ffconcat version 1.0\nfile other.ts\n',
  'a list of a secret': 'ffconcat version 1.0\nfile /etc/passwd\n',
  'a manifest': '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet><Representation id="a"><BaseURL>http://127.0.0.1:1/a</BaseURL></Representation></AdaptationSet></Period></MPD>',
  'a description of a session': 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
  'a picture that is a program': '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
  'a name that is an option': '-f lavfi -i testsrc',
  'a page': '<!doctype html><script>alert(1)</script>',
};

trial('text in any form is no video, and no program ever sees it', async (t) => {
  for (const [what, text] of Object.entries(disguised)) {
    const { state, code } = await ends(Buffer.from(text.padEnd(6000, '\n')));
    t.same([state, code], ['failed', 'not-a-video'], what);
  }
});

trial('nothing, nearly nothing and noise are no videos', async (t) => {
  const next = random(7);
  const noise = Buffer.from(Array.from({ length: 100_000 }, () => Math.floor(next() * 256)));
  for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(1_000_000), noise]) t.match(await ends(bytes), { state: 'failed', code: 'not-a-video' });
});

const avi = async (): Promise<Buffer> => Buffer.from(await readFile(await encoded('avi', [...picture(1), '-c:v', 'mpeg4'])));

/** AVI whose second stream is a text that is a playlist (GAB2): what once drew files into videos. */
const gab2 = async (): Promise<Buffer> => {
  const bytes = Buffer.from(await readFile(await encoded('avi', [...picture(1), ...tone(1), '-c:v', 'mpeg4', '-c:a', 'pcm_s16le'])));
  const sound = bytes.indexOf('auds', 0, 'latin1');
  bytes.write('txts', sound, 'latin1');
  const text = playlist.replace('other.ts', '/etc/passwd');
  const gab = Buffer.concat([Buffer.from('GAB2\0\x02\0\x02\0\0\0a\0\x04\0', 'latin1'), Buffer.from([text.length & 0xff, text.length >> 8, 0, 0]), Buffer.from(text)]);
  for (let at = bytes.indexOf('01wb', 0, 'latin1'); at > 0; at = bytes.indexOf('01wb', at + 4, 'latin1')) gab.copy(bytes, at + 8, 0, Math.min(gab.length, bytes.readUInt32LE(at + 4)));
  return bytes;
};

const moovOf = (bytes: Buffer): Buffer => {
  const at = bytes.indexOf('moov', 0, 'latin1') - 4;
  return bytes.subarray(at, at + bytes.readUInt32BE(at));
};

/** More bytes where a box begins: all boxes around it grow. */
const grown = (bytes: Buffer, around: readonly string[], old: Buffer, put: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  let at = 0;
  for (const type of around) {
    at = copy.indexOf(type, at, 'latin1') - 4;
    copy.writeUInt32BE(copy.readUInt32BE(at) + put.length - old.length, at);
    at += 8;
  }
  const place = copy.indexOf(old, at);
  return Buffer.concat([copy.subarray(0, place), put, copy.subarray(place + old.length)]);
};

/** MOV whose media is said to lie in another file: an alias, with the path of it. */
const elsewhere = async (): Promise<Buffer> => {
  const bytes = await readFile(await encoded('mp4', [...picture(1), ...x264]));
  const alias = Buffer.alloc(150 + 4 + 12);
  alias.write('secret.txt', 50, 'latin1');
  // Tag 2: an absolute path.
  alias.writeUInt16BE(2, 150);
  alias.writeUInt16BE(11, 152);
  alias.write('/etc/passwd', 154, 'latin1');
  const url = Buffer.from('0000000c75726c2000000001', 'hex');
  return grown(bytes, ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref'], url, inBoxes(['alis', Buffer.concat([Buffer.alloc(4), alias])]));
};

const png = (width: number, height: number): Buffer => {
  const chunk = (type: string, body: Buffer): Buffer => Buffer.concat([Buffer.from([body.length >>> 24, body.length >>> 16, body.length >>> 8, body.length]), Buffer.from(type), body, Buffer.alloc(4)]);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.alloc(1 << 20))), chunk('IEND', Buffer.alloc(0))]);
};

/** BITMAPINFOHEADER, as Matroska has codecs that it has no name for. */
const bitmap = (fourcc: string, width: number, height: number): Buffer => {
  const head = Buffer.alloc(40);
  head.writeUInt32LE(40);
  head.writeInt32LE(width, 4);
  head.writeInt32LE(height, 8);
  head.writeUInt16LE(24, 14);
  head.write(fourcc, 16, 'latin1');
  return head;
};

const patched = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(value, at);
  return copy;
};

type Case = { readonly bytes: () => Promise<Buffer> | Buffer; readonly ends: readonly string[] };

const wav = async (): Promise<Buffer> => readFile(await encoded('wav', [...tone(1), '-c:a', 'pcm_s16le']));
const webm = (): Promise<Buffer> => encoded('webm', [...picture(1), ...vp9]).then((path) => readFile(path));

const crafted: Record<string, Case> = {
  'AVI with a playlist in its subtitles': { bytes: gab2, ends: ['ready'] },
  'Matroska with a playlist where its codec is set up': { bytes: () => matroska([{ codec: 'V_MPEG4/ISO/AVC', codecPrivate: Buffer.from(playlist) }], [Buffer.from(playlist), Buffer.from(playlist)]), ends: ['failed no-media', 'failed encode-failed', 'failed broken'] },
  'MP4 whose media lies in another file': { bytes: elsewhere, ends: ['ready', 'failed broken', 'failed no-media', 'failed encode-failed'] },
  'a playlist behind the beginning of an MP4': { bytes: () => inBoxes(['ftyp', Buffer.from('isom\0\0\0\0isom')], ['free', Buffer.from(playlist)], ['mdat', Buffer.from(playlist)]), ends: ['failed truncated', 'failed broken', 'failed not-a-video'] },
  '16K': { bytes: () => matroska([{ codec: 'V_MS/VFW/FOURCC', size: [16_384, 8640], codecPrivate: bitmap('MPNG', 16_384, 8640) }], [png(16_384, 8640)]), ends: ['failed picture-too-large'] },
  '65,535 lines of as many pixels, said in the picture alone': { bytes: () => matroska([{ codec: 'V_MS/VFW/FOURCC', size: [320, 180], codecPrivate: bitmap('MPNG', 320, 180) }], Array.from({ length: 20 }, () => png(65_535, 65_535))), ends: ['failed picture-too-large', 'failed encode-failed'] },
  'a hundred thousand tracks': { bytes: () => matroska([{ codec: 'V_VP9' }, { codec: 'A_AAC', type: 'audio' }], [], 50_000), ends: ['failed too-many-tracks'] },
  'tracks of codecs that nobody knows': { bytes: () => matroska(Array.from({ length: 20 }, () => ({ codec: 'V_UNHEARD' })), [Buffer.alloc(10)]), ends: ['failed no-media'] },
  'a frame that lasts a nanosecond': { bytes: async () => matroska([{ codec: 'V_VP9', every: 1 }], [(await webm()).subarray(0, 2000)]), ends: ['failed encode-failed', 'failed broken', 'failed no-media', 'ready'] },
  'thousands of millions of pictures a second': { bytes: async () => { const bytes = await avi(); const at = bytes.indexOf('strh', 0, 'latin1') + 8; return patched(patched(bytes, at + 24, 1_000_000_000), at + 20, 1); }, ends: ['ready', 'failed encode-failed', 'failed broken'] },
  '4,096 channels': { bytes: async () => { const bytes = Buffer.from(await wav()); bytes.writeUInt16LE(4096, 22); return bytes; }, ends: ['failed no-media', 'failed broken', 'failed encode-failed', 'ready'] },
  'a sample a second': { bytes: async () => patched(await wav(), 24, 1), ends: ['failed encode-failed', 'failed broken', 'failed no-media', 'failed took-too-long', 'ready'] },
  'a single picture': { bytes: async () => readFile(await encoded('webm', [...picture(1), ...vp9, '-frames:v', '1'])), ends: ['ready'] },
  'a clip with an attachment that would like to lie elsewhere': { bytes: async () => { await mkdir(join(shop.data, 'aside'), { recursive: true }); await writeFile(join(shop.data, 'aside', 'note'), secret); return readFile(await encoded('mkv', [...picture(1), ...vp9, '-metadata', 'title=<img src=x onerror=alert(1)>'])); }, ends: ['ready'] },
}; // prettier-ignore

for (const [what, { bytes, ends: expected }] of Object.entries(crafted)) {
  trial(what, async (t) => {
    const { state, code, ms } = await ends(await bytes());
    t.ok(expected.includes(code === null ? state : `${state} ${code}`), `${state} ${code ?? ''}`);
    t.ok(ms < clearWithinMs, `after ${Math.round(ms)} ms`);
  });
}

trial('an index of a hundred thousand tracks in an MP4', async (t) => {
  const moov = moovOf(await readFile(await encoded('mp4', [...picture(1), ...x264])));
  const at = moov.indexOf('trak', 0, 'latin1') - 4;
  const trak = moov.subarray(at, at + moov.readUInt32BE(at));
  const mvhd = moov.subarray(8, 8 + moov.readUInt32BE(8));
  const file = inBoxes(['ftyp', Buffer.from('isom\0\0\0\0isom')], ['moov', Buffer.concat([mvhd, ...Array.from({ length: 100_000 }, () => trak)])]);
  t.match(await ends(file), { state: 'failed', code: 'too-many-tracks' });
});

/** Each comes to one of the ends that there are for it. */
const endsWell = async (t: Test, cuts: readonly Buffer[]): Promise<void> => {
  for (const bytes of cuts) {
    const { state, code, ms } = await ends(bytes);
    t.ok(cutEnds.includes(code === null ? state : `${state} ${code}`), `cut at ${bytes.length}: ${state} ${code ?? ''}`);
    t.ok(ms < clearWithinMs);
  }
};

// Two hundred of them, through a whole server: test/prove/cut-short.prove.ts.
for (const kind of cutKinds) trial(`${kind} that ends too early, anywhere`, async (t) => endsWell(t, await cutShort(kind, 3, kind.length)));

for (const extension of ['flv', 'mp4', 'avi']) {
  trial(`${extension} that is to be worked on and ends too early`, async (t) => {
    const codecs = extension === 'avi' ? ['-c:v', 'mpeg4', '-c:a', 'libmp3lame'] : [...x264, ...(extension === 'mp4' ? ['-c:a', 'ac3'] : aac)];
    const whole = await readFile(await encoded(extension, [...picture(2), ...tone(2), ...codecs]));
    const next = random(extension.length * 31);
    await endsWell(t, Array.from({ length: 2 }, () => whole.subarray(0, Math.floor(next() * whole.length))));
  });
}

trial('bytes that are spoiled on the way', async (t) => {
  const whole = await readFile(await encoded('mkv', [...picture(2), ...tone(2), ...x264, ...aac]));
  const next = random(99);
  for (let round = 0; round < 3; round += 1) {
    const bytes = Buffer.from(whole);
    for (let hit = 0; hit < 60; hit += 1) bytes[100 + Math.floor(next() * (bytes.length - 100))] = Math.floor(next() * 256);
    const { state, ms } = await ends(bytes);
    t.ok(state === 'ready' || state === 'failed', state);
    t.ok(ms < clearWithinMs);
  }
});

t.test('whatever came out of it, no secret is in it', async (t) => {
  const read = async (folder: string): Promise<number> => {
    let files = 0;
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || /^(original|secret\.txt|other\.ts|note)$/.test(entry.name)) continue;
      files += 1;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      if (bytes.includes('the secret') || bytes.includes('root:x:0:0')) t.fail(entry.name);
    }
    return files;
  };
  t.ok((await read(join(shop.data, 'videos'))) > 0);
  await rm(join(shop.data, 'aside'), { recursive: true, force: true });
});
