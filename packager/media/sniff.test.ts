import { mkdir, readFile, rm } from 'node:fs/promises';
import t from 'tap';
import { encoded, scratch } from '../../test/support/encoded.ts';
import { fuzz, Random } from '../../test/support/random.ts';
import { sniff, sniffBytes } from './sniff.ts';

t.before(() => mkdir(scratch, { recursive: true }));
t.teardown(() => rm(scratch, { recursive: true }));

const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=10:duration=1'];
const sound = ['-f', 'lavfi', '-i', 'sine=440:duration=1'];
const both = [...picture, ...sound];

const known: readonly (readonly [container: string, extension: string, args: readonly string[]])[] = [
  ['mp4', 'mp4', [...both, '-c:v', 'mpeg4', '-c:a', 'aac']],
  ['mp4', 'mov', [...both, '-c:v', 'mpeg4', '-c:a', 'aac']],
  ['mp4', 'm4a', [...sound, '-c:a', 'aac']],
  ['mp4', '3gp', [...picture, '-c:v', 'mpeg4']],
  ['matroska', 'mkv', [...both, '-c:v', 'mpeg4', '-c:a', 'aac']],
  ['matroska', 'webm', [...sound, '-c:a', 'libopus']],
  ['mpegts', 'ts', [...both, '-c:v', 'mpeg2video', '-c:a', 'mp2']],
  ['mpegts', 'm2ts', [...both, '-c:v', 'mpeg2video', '-c:a', 'ac3']],
  ['flv', 'flv', [...both, '-c:v', 'flv', '-c:a', 'aac']],
  ['avi', 'avi', [...both, '-c:v', 'mpeg4', '-c:a', 'mp2']],
  ['mp3', 'mp3', [...sound, '-c:a', 'libmp3lame', '-metadata', 'title=with a tag']],
  ['mp3', 'mp3', [...sound, '-c:a', 'libmp3lame', '-ar', '22050', '-id3v2_version', '0', '-write_xing', '0']],
  ['mp3', 'mp2', [...sound, '-c:a', 'mp2']],
  ['adts', 'aac', [...sound, '-c:a', 'aac']],
  ['flac', 'flac', [...sound, '-c:a', 'flac']],
  ['wav', 'wav', [...sound, '-c:a', 'pcm_s16le']],
  ['ogg', 'ogg', [...sound, '-c:a', 'libvorbis']],
]; // prettier-ignore

t.test('what ffmpeg writes is told apart by its first bytes', async (t) => {
  for (const [container, extension, args] of known) {
    const head = (await readFile(await encoded(extension, args))).subarray(0, sniffBytes);
    t.equal(sniff(head), container, extension);
  }
});

const boxed = (type: string, brand: string, size = 24): Buffer => {
  const head = Buffer.alloc(64);
  head.writeUInt32BE(size);
  head.write(type + brand, 4, 'latin1');
  return head;
};

t.test('QuickTime from before there were brands is a film too', async (t) => {
  for (const type of ['moov', 'wide', 'free', 'skip', 'mdat']) t.equal(sniff(boxed(type, '')), 'mp4', type);
  t.equal(sniff(boxed('mdat', '', 1)), 'mp4', 'with a size of 64 bits');
  t.equal(sniff(boxed('mdat', '', 0x7e7e_7e7e)), 'mp4', 'of 2 GB');
});

t.test('images are none, whichever container they hide in', async (t) => {
  for (const brand of ['heic', 'mif1', 'avif', 'avis', 'jp2 ', 'crx ']) t.equal(sniff(boxed('ftyp', brand)), null, brand);
  const images: Record<string, Buffer> = {
    PNG: Buffer.from('89504e470d0a1a0a0000000d49484452ffffffff', 'hex'),
    JPEG: Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
    GIF: Buffer.from('GIF89a............'),
    WebP: Buffer.from('RIFF\x24\0\0\0WEBPVP8 '),
    SVG: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
  };
  for (const [name, head] of Object.entries(images)) t.equal(sniff(Buffer.concat([head, Buffer.alloc(4000)])), null, name);
});

t.test('nothing that points at other files is taken, whatever it is called', async (t) => {
  const disguised: Record<string, string> = {
    'a playlist of a neighbour': '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nother.ts\n#EXT-X-ENDLIST\n',
    'a playlist of an address': '#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/secret\n',
    'a playlist of a file of the system': '#EXTM3U\n#EXTINF:10,\n/etc/passwd\n',
    'a playlist with a key from a file': '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXTINF:1,\na\n',
    'a playlist of itself': '#EXTM3U\n#EXTINF:1,\nvideo.mp4\n',
    'a list of files to join': 'ffconcat version 1.0\nfile other.mp4\n',
    'a list of files to join, with a path': "ffconcat version 1.0\nfile '/etc/passwd'\n",
    'a manifest': '<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>http://127.0.0.1/</BaseURL></Representation></AdaptationSet></Period></MPD>',
    'a session description': 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n',
    'a sheet of cues': 'FILE "secret.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    subtitles: '1\n00:00:00,000 --> 00:00:01,000\nHello\n',
    'subtitles of the web': 'WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n',
    metadata: ';FFMETADATA1\ntitle=x\n',
    'a shortcut': '[InternetShortcut]\nURL=http://127.0.0.1/\n',
    'a page': '<!doctype html><video src="file:///etc/passwd">',
    'a program': '#!/bin/sh\ncat /etc/passwd\n',
  };
  for (const [name, text] of Object.entries(disguised)) {
    const bytes = Buffer.from(text);
    t.equal(sniff(bytes), null, name);
    t.equal(sniff(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])), null, `${name}, with a mark of its encoding`);
    t.equal(sniff(Buffer.from(`\ufeff${text}`, 'utf16le')), null, `${name}, in two bytes a letter`);
    t.equal(sniff(Buffer.concat([bytes, Buffer.alloc(4096, 0x20)]).subarray(0, sniffBytes)), null, `${name}, padded`);
  }
});

t.test('nothing, zeros and noise are nothing', async (t) => {
  t.equal(sniff(Buffer.alloc(0)), null);
  for (const byte of [0, 0x20, 0x47, 0xff]) t.equal(sniff(Buffer.alloc(byte === 0x47 ? 180 : 4096, byte)), null, `${byte}`);
  const random = new Random(7);
  let taken = 0;
  for (let i = 0; i < 20_000; i += 1) if (sniff(random.bytes(600)) !== null) taken += 1;
  t.ok(taken < 4, `${taken} of 20,000 pieces of noise are taken for media`);
});

t.test('100,000 damaged beginnings are told or not told, and nothing else', async (t) => {
  const valid = await Promise.all(known.map(async ([, extension, args]) => (await readFile(await encoded(extension, args))).subarray(0, 800)));
  const { accepted } = fuzz(sniff, RangeError, valid, { longest: 64 });
  t.equal(accepted, 100_000);
});
