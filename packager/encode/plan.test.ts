/** The table of what becomes of what. */
import t from 'tap';
import type { Inspection, PictureStream, SoundStream } from './inspection.ts';
import { planOf, type Plan, type PlanFacts } from './plan.ts';

const picture = (change: Partial<PictureStream> = {}): PictureStream => ({
  ...{ index: 0, codec: 'h264', profile: 'High', pixelFormat: 'yuv420p', width: 1280, height: 720, pixelAspect: { num: 1, den: 1 }, rotation: 0 },
  ...{ interlaced: false, transfer: 'bt709', frameRate: { num: 25, den: 1 }, timeBase: { num: 1, den: 1000 }, isDefault: true },
  ...change,
});
const sound = (change: Partial<SoundStream> = {}): SoundStream => ({
  ...{ index: 1, codec: 'aac', profile: 'LC', sampleRate: 48_000, channels: 2, layout: 'stereo', language: 'und', name: null, isDefault: true },
  ...change,
});
const seen = (pictures: readonly PictureStream[], sounds: readonly SoundStream[]): Inspection => ({ duration: 60, pictures, sounds, texts: [], streams: pictures.length + sounds.length });
const plan = (change: Partial<PlanFacts> = {}): Plan =>
  planOf({
    ...{ container: 'matroska', inspection: seen([picture()], [sound()]), original: { picture: null, sound: false }, mayCopy: true, filters: new Set(['bwdif', 'zscale', 'tonemap']) },
    ...change,
  });

/** A plan in one line. */
const told = (found: Plan): string => {
  if (found.kind === 'unusable') return found.code;
  return found.steps
    .map(({ kind, picture: made, sounds, original }) => {
      const shown = made === null ? '' : made.how === 'copy' ? ' copy' : ` ${made.width}x${made.height}${made.keys === 'source' ? ' on its keys' : ''}`;
      const heard = sounds.map((one) => (one.copy ? ' aac' : ` ${one.channels}ch`)).join('');
      return `${kind}${shown}${heard}${original.picture ? ' beside picture' : ''}${original.sound ? ' and sound' : ''}`;
    })
    .join(', then ');
};

const vp9 = picture({ codec: 'vp9', profile: 'Profile 0' });
const opus = sound({ codec: 'opus', profile: '' });
const hevc = picture({ codec: 'hevc', profile: 'Main' });
const ac3 = sound({ codec: 'ac3', profile: '', channels: 6, layout: '5.1(side)' });

const table: readonly (readonly [what: string, facts: Partial<PlanFacts>, becomes: string])[] = [
  ['H.264 and AAC in Matroska', {}, 'remux copy aac'],
  ['H.264 and AC-3 in Matroska', { inspection: seen([picture()], [ac3]) }, 'remux copy 6ch'],
  ['H.264 alone in FLV', { container: 'flv', inspection: seen([picture()], []) }, 'remux copy'],
  ['H.264 and AAC in AVI', { container: 'avi' }, 'remux copy 2ch'],
  ['H.264 that cannot be cut', { mayCopy: false }, 'lowest 640x360 aac, then mezzanine 1280x720'],
  ['H.264 of ten bits', { inspection: seen([picture({ profile: 'High 10', pixelFormat: 'yuv420p10le' })], [sound()]) }, 'lowest 640x360 aac, then mezzanine 1280x720'],
  ['H.264 4:2:2', { inspection: seen([picture({ profile: 'High 4:2:2', pixelFormat: 'yuv422p' })], [sound()]) }, 'lowest 640x360 aac, then mezzanine 1280x720'],
  ['VP9 and Opus', { inspection: seen([vp9], [opus]) }, 'lowest 640x360 2ch, then mezzanine 1280x720'],
  ['VP9 of 4K', { inspection: seen([{ ...vp9, width: 3840, height: 2160 }], [opus]) }, 'lowest 640x360 2ch, then mezzanine 1920x1080'],
  ['VP9 of 360 lines', { inspection: seen([{ ...vp9, width: 640, height: 360 }], [opus]) }, 'lowest 640x360 2ch'],
  ['VP9 of 361 lines, odd', { inspection: seen([{ ...vp9, width: 641, height: 361 }], []) }, 'lowest 638x360, then mezzanine 640x360'],
  ['a picture that stands on end', { inspection: seen([{ ...vp9, rotation: 90, width: 1920, height: 1080 }], []) }, 'lowest 360x640, then mezzanine 1080x1920'],
  ['pixels that are no squares', { inspection: seen([{ ...vp9, width: 720, height: 576, pixelAspect: { num: 64, den: 45 } }], []) }, 'lowest 640x360, then mezzanine 1024x576'],
  ['a picture wider than anything', { inspection: seen([{ ...vp9, width: 20_000, height: 40 }], []) }, 'lowest 4096x8'],
  ['a picture of one pixel', { inspection: seen([{ ...vp9, width: 1, height: 1 }], []) }, 'lowest 2x2'],
  ['H.264 in MP4 beside sound that is not AAC', { container: 'mp4', original: { picture: 'h264', sound: false }, inspection: seen([picture()], [ac3]) }, 'audio 6ch beside picture'],
  ['H.264 in MP4 that our index has refused', { container: 'mp4', mayCopy: false }, 'lowest 640x360 aac, then mezzanine 1280x720'],
  ['MP4 that our index cannot make sense of', { container: 'mp4' }, 'remux copy aac'],
  ['HEVC in MP4', { container: 'mp4', original: { picture: 'hevc', sound: true }, mayCopy: false, inspection: seen([hevc], [sound()]) }, 'lowest 640x360 on its keys beside picture and sound'],
  ['HEVC and AC-3 in MP4', { container: 'mp4', original: { picture: 'hevc', sound: false }, mayCopy: false, inspection: seen([hevc], [ac3]) }, 'lowest 640x360 on its keys 6ch beside picture'],
  ['HEVC in Matroska', { inspection: seen([hevc], [sound()]) }, 'remux copy aac, then lowest 640x360 on its keys'],
  ['HEVC 4:4:4', { inspection: seen([{ ...hevc, profile: 'Rext', pixelFormat: 'yuv444p' }], []) }, 'lowest 640x360, then mezzanine 1280x720'],
  ['sound alone', { container: 'mp3', inspection: seen([], [sound({ codec: 'mp3' })]) }, 'audio 2ch'],
  ['AAC alone', { container: 'adts', inspection: seen([], [sound()]) }, 'audio aac'],
  ['several sounds, what is switched on first', { inspection: seen([vp9], [{ ...ac3, isDefault: false }, sound({ index: 2 })]) }, 'lowest 640x360 aac 6ch, then mezzanine 1280x720'],
  ['the picture that is meant, of two', { inspection: seen([picture({ index: 3, isDefault: false, width: 1920, height: 1080 }), picture()], []) }, 'remux copy'],
  ['AAC that decoders differ in', { inspection: seen([picture()], [sound({ profile: 'LTP' }), sound({ profile: 'ELD' }), sound({ layout: 'quad', channels: 4 })]) }, 'remux copy 2ch 2ch 2ch'],
  ['7.1, quadrophony, 96 channels, one', { inspection: seen([], [sound({ codec: 'flac', layout: '7.1', channels: 8 }), sound({ codec: 'flac', layout: 'quad', channels: 4 }), sound({ codec: 'flac', layout: '', channels: 96 }), sound({ codec: 'flac', layout: 'mono', channels: 1 })]) }, 'audio 6ch 2ch 2ch 1ch'],
  ['a sound without a rate is none', { inspection: seen([picture()], [sound({ sampleRate: 0 })]) }, 'remux copy'],
  ['nothing', { inspection: seen([], []) }, 'no-media'],
  ['a picture of no size', { inspection: seen([{ ...vp9, width: 0, height: 0 }], []) }, 'no-media'],
  ['a codec that has no name', { inspection: seen([{ ...vp9, codec: '' }], []) }, 'no-media'],
  ['16K', { inspection: seen([{ ...vp9, width: 16_384, height: 8640 }], []) }, 'picture-too-large'],
  ['8K', { inspection: seen([{ ...vp9, width: 7680, height: 4320 }], []) }, 'lowest 640x360, then mezzanine 1920x1080'],
  ['seventeen sounds', { inspection: seen([picture()], Array.from({ length: 17 }, () => sound())) }, 'too-many-tracks'],
]; // prettier-ignore

t.test('what becomes of what', (t) => {
  for (const [what, facts, becomes] of table) t.equal(told(plan(facts)), becomes, what);
  t.end();
});

const encodedOf = (pictures: readonly PictureStream[], change: Partial<PlanFacts> = {}) => {
  const found = plan({ inspection: seen(pictures, []), mayCopy: false, ...change });
  return found.kind === 'steps' ? found.steps.map(({ picture: made }) => (made?.how === 'encode' ? made : null)) : [];
};

t.test('every moment of the source has a tick of its own', (t) => {
  const timescale = (timeBase: PictureStream['timeBase']) => encodedOf([picture({ timeBase })])[0]?.timescale;
  t.equal(timescale({ num: 1, den: 1000 }), 10_000);
  t.equal(timescale({ num: 1, den: 90_000 }), 90_000);
  t.equal(timescale({ num: 1001, den: 30_000 }), 30_000);
  t.equal(timescale({ num: 1, den: 24 }), 10_008);
  t.equal(timescale(null), 90_000);
  t.equal(timescale({ num: 1, den: 2_000_000_000 }), 90_000);
  t.end();
});

t.test('interlaced pictures are put together, and wide ranges made narrow, where ffmpeg can', (t) => {
  const hdr = picture({ interlaced: true, transfer: 'smpte2084' });
  t.match(encodedOf([hdr])[0], { deinterlace: true, toneMap: 'smpte2084' });
  t.match(encodedOf([hdr], { filters: new Set() })[0], { deinterlace: false, toneMap: null });
  t.match(encodedOf([picture({ transfer: 'bt2020-10' })])[0], { deinterlace: false, toneMap: null });
  t.end();
});

t.test('larger pictures may take more, and fast ones half as much again', (t) => {
  const [low, high] = encodedOf([picture({ width: 1920, height: 1080 })]);
  t.match([low?.maxRate, high?.maxRate], [1_155_000, 6_000_000]);
  t.equal(encodedOf([picture({ width: 1920, height: 1080, frameRate: { num: 60, den: 1 } })])[1]?.maxRate, 9_000_000);
  t.equal(encodedOf([picture({ width: 16, height: 16 })])[0]?.maxRate, 200_000);
  t.end();
});
