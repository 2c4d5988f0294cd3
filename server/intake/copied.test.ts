/** What is taken over as it is, and sound that is made beside a picture that stays where it lies. */
import t from 'tap';
import { aac, judgeClip, picture, tone, x264, type Expected } from './exactness.ts';
import { testIntake } from './testing.ts';

const shop = await testIntake(t);
const usual = [...picture(5), ...tone(5), ...x264, ...aac];

const clips: Record<string, Expected> = {
  'Matroska with H.264 and AAC': { extension: 'mkv', args: usual, codecs: ['h264'], sounds: 1, steps: ['inspect', 'remux'] },
  'MPEG-TS with H.264 and AAC': { extension: 'ts', args: usual, codecs: ['h264'], sounds: 1, steps: ['inspect', 'remux'] },
  'FLV with H.264 and AAC': { extension: 'flv', args: usual, codecs: ['h264'], sounds: 1, steps: ['inspect', 'remux'] },
  'Matroska with a sound that is encoded and subtitles that are left alone': { extension: 'mkv', args: [...picture(), ...tone(), ...tone(2), '-map', '0', '-map', '1', '-map', '2', ...x264, '-c:a:0', 'aac', '-c:a:1', 'ac3', '-metadata:s:a:0', 'language=kor', '-metadata:s:a:1', 'language=eng', '-metadata:s:a:1', 'title=Commentary'], codecs: ['h264'], sounds: 2, steps: ['inspect', 'remux'] },
  'MP4 with H.264 and AC-3': { extension: 'mp4', args: [...picture(5), ...tone(5), ...x264, '-c:a', 'ac3'], codecs: ['h264'], sounds: 1, steps: ['inspect', 'audio'] },
  'a picture alone': { extension: 'mkv', args: [...picture(), ...x264], codecs: ['h264'], sounds: 0, steps: ['inspect', 'remux'] },
  'AAC alone': { extension: 'aac', args: [...tone(9), ...aac], codecs: [], sounds: 1, steps: ['inspect', 'audio'] },
  'MP3 with a cover': { extension: 'mp3', args: [...tone(), '-f', 'lavfi', '-i', 'color=size=64x64:duration=1:rate=1', '-map', '0', '-map', '1', '-c:a', 'libmp3lame', '-c:v', 'mjpeg', '-frames:v', '1', '-disposition:v', 'attached_pic'], codecs: [], sounds: 1, steps: ['inspect', 'audio'] },
  'five channels and one, without loss': { extension: 'flac', args: [...tone(), '-af', 'pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0'], codecs: [], sounds: 1, steps: ['inspect', 'audio'] },
}; // prettier-ignore

for (const [name, clip] of Object.entries(clips)) t.test(name, (t) => judgeClip(t, shop, clip));

t.test('what players are told of sounds is what the file said', async (t) => {
  const found = [...shop.told.keys()];
  const rows = await Promise.all(found.map((id) => shop.catalog.videos.withTracks(id)));
  const two = rows.find((row) => row?.tracks.filter(({ kind }) => kind === 'audio').length === 2);
  t.match(two?.tracks.filter(({ kind }) => kind === 'audio'), [{ language: 'ko', name: null }, { language: 'en', name: 'Commentary' }]);
});

t.test('what lies in the original is named by it, and only the sound is stored beside it', async (t) => {
  const rows = await Promise.all([...shop.told.keys()].map((id) => shop.catalog.videos.withTracks(id)));
  const found = rows.find((row) => row?.tracks.some(({ original }) => original !== null));
  t.match(found?.tracks, [{ id: 'v0', kind: 'video', original: 1 }, { kind: 'audio', codec: 'aac', original: null }]);
  const { bytes = 0, originalBytes = 0, durationMs } = found?.video ?? {};
  t.ok(bytes > originalBytes && bytes < 2 * originalBytes);
  t.ok(Math.abs((durationMs ?? 0) - 5000) < 50);
});
