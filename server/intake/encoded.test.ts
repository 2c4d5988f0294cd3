/** What has to be encoded: its lowest rung first, with all of its pictures and sounds. */
import t from 'tap';
import { aac, judgeClip, picture, tone, vp9, x265, type Expected } from './exactness.ts';
import { testIntake } from './testing.ts';

const shop = await testIntake(t);

const clips: Record<string, Expected> = {
  'VP9 and Opus': { extension: 'webm', args: [...picture(), ...tone(), ...vp9, '-c:a', 'libopus'], codecs: ['h264'], sounds: 1, steps: ['inspect', 'lowest'] },
  'AV1 and Opus': { extension: 'mkv', args: [...picture(2), ...tone(2), '-c:v', 'libsvtav1', '-preset', '12', '-pix_fmt', 'yuv420p', '-c:a', 'libopus'], codecs: ['h264'], sounds: 1, steps: ['inspect', 'lowest'] },
  'a picture higher than the lowest rung': { extension: 'mkv', args: [...picture(5, '640x400'), ...tone(5), ...vp9, '-c:a', 'libopus'], codecs: ['h264', 'h264'], sounds: 1, steps: ['inspect', 'lowest', 'mezzanine'], size: [640, 400] },
  'MPEG-2 in MPEG-TS, with pixels that are no squares': { extension: 'ts', args: [...picture(5, '480x384'), ...tone(5), '-vf', 'setsar=4/3', '-c:v', 'mpeg2video', '-b:v', '1M', '-bf', '2', '-c:a', 'mp2'], codecs: ['h264', 'h264'], sounds: 1, steps: ['inspect', 'lowest', 'mezzanine'], size: [682, 384] },
  'HEVC in MP4: a rung of H.264 beside it': { extension: 'mp4', args: [...picture(4, '480x384'), ...tone(4), ...x265, ...aac], codecs: ['hevc', 'h264'], sounds: 1, steps: ['inspect', 'lowest'], size: [450, 360] },
  'HEVC in Matroska: taken over, and a rung of H.264 beside it': { extension: 'mkv', args: [...picture(4, '480x384'), ...tone(4), ...x265, ...aac], codecs: ['hevc', 'h264'], sounds: 1, steps: ['inspect', 'remux', 'lowest'], size: [480, 384] },
  'open GOPs': { extension: 'mkv', args: [...picture(), ...tone(), '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-bf', '2', '-x264-params', 'keyint=50:min-keyint=50:scenecut=0:open-gop=1', ...aac], codecs: ['h264'], sounds: 1, steps: ['inspect', 'remux', 'lowest'] },
  'pictures of ten bits and 4:2:2': { extension: 'mov', args: [...picture(2), ...tone(2), '-c:v', 'prores_ks', '-pix_fmt', 'yuv422p10le', '-c:a', 'pcm_s16le'], codecs: ['h264'], sounds: 1, steps: ['inspect', 'lowest'] },
  'pictures that come as they like': { extension: 'mkv', args: [...picture(), ...tone(), '-vf', "select='not(mod(n,7)*mod(n,5)*mod(n,2))'", '-fps_mode', 'vfr', '-enc_time_base', '1/1000', ...vp9, '-c:a', 'libopus'], codecs: ['h264'], sounds: 1, steps: ['inspect', 'lowest'] },
  'an odd size': { extension: 'mkv', args: [...picture(2, '322x182'), '-vf', 'crop=321:181:0:0:exact=1,format=yuv444p', '-c:v', 'libx264', '-preset', 'veryfast'], codecs: ['h264'], sounds: 0, steps: ['inspect', 'lowest'], size: [320, 180] },
  'AVI with MPEG-4 and MP3': { extension: 'avi', args: [...picture(), ...tone(), '-c:v', 'mpeg4', '-c:a', 'libmp3lame'], codecs: ['h264'], sounds: 1, steps: ['inspect', 'lowest'] },
}; // prettier-ignore

for (const [name, clip] of Object.entries(clips)) t.test(name, (t) => judgeClip(t, shop, clip));
