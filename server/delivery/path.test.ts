import t from 'tap';
import { parsePlayPath } from './path.ts';

const run = 'k3v9x0a2b7';

const video = '/play/-/video-00000001';

t.test('the kinds of address', async (t) => {
  const below = { grant: '-', video: 'video-00000001' };
  const manifest = { kind: 'manifest', cut: null, ...below };
  t.same(parsePlayPath(`${video}/master.m3u8`), { ...manifest, of: 'hls' });
  t.same(parsePlayPath(`${video}/manifest.mpd`), { ...manifest, of: 'dash' });
  t.same(parsePlayPath(`${video}/ts/master.m3u8`), { ...manifest, of: 'ts' });
  const channel = { kind: 'channel', grant: 'a.B_c-9', channel: 'my-show' };
  t.same(parsePlayPath('/play/a.B_c-9/@my-show/master.m3u8'), { ...channel, of: 'hls' });
  t.same(parsePlayPath('/play/a.B_c-9/@my-show/manifest.mpd'), { ...channel, of: 'dash' });
  t.same(parsePlayPath('/play/a.B_c-9/@my-show/ts/master.m3u8'), { ...channel, of: 'ts' });
  const list = { kind: 'playlist', transport: false, track: 'v0', cut: null, ...below };
  t.same(parsePlayPath(`${video}/v0/index.m3u8`), { ...list, list: 'window' });
  t.same(parsePlayPath(`${video}/v0/whole.m3u8`), { ...list, list: 'whole' });
  t.same(parsePlayPath(`${video}/v0/iframes.m3u8`), { ...list, list: 'keys' });
  t.same(parsePlayPath(`${video}/ts/v0/whole.m3u8`), { ...list, transport: true, list: 'whole' });
  t.match(parsePlayPath(`${video}/a0/${run}-12-3.m4s`), { kind: 'media', track: 'a0', name: { kind: 'part', msn: 12, part: 3 } });
  t.match(parsePlayPath(`${video}/v0/${run}-k12.m4s`), { kind: 'media', track: 'v0', name: { kind: 'key', msn: 12 } });
  t.match(parsePlayPath(`${video}/t0/${run}-12.vtt`), { kind: 'media', track: 't0', name: { kind: 'captions', msn: 12 } });
  t.match(parsePlayPath(`${video}/ts/v0/${run}-12.ts`), { kind: 'transport', track: 'v0', name: { run, msn: 12 } });
  t.match(parsePlayPath(`${video}/mp4/${run}-v0-a0.mp4`), { kind: 'download', name: { run, tracks: ['v0', 'a0'] } });
  t.same(parsePlayPath(`${video}/picture.jpg`), { kind: 'live-picture', ...below });
  t.same(parsePlayPath(`${video}/poster-2.jpg`), { kind: 'made-picture', file: 'poster-2.jpg', name: { kind: 'poster', index: 2 }, ...below });
  t.same(parsePlayPath(`${video}/storyboard.vtt`), { kind: 'made-picture', file: 'storyboard.vtt', name: { kind: 'storyboard' }, ...below });
  t.same(parsePlayPath('/play/time'), { kind: 'time' });
});

t.test('a cut is one more step, of manifests and playlists only, and has one name', async (t) => {
  const cut = { name: 'cut-1500-20000', cut: { inMicros: 1_500_000, outMicros: 20_000_000 } };
  t.match(parsePlayPath(`${video}/cut-1500-20000/master.m3u8`), { kind: 'manifest', of: 'hls', cut });
  t.match(parsePlayPath(`${video}/cut-1500-20000/manifest.mpd`), { kind: 'manifest', of: 'dash', cut });
  t.match(parsePlayPath(`${video}/cut-1500-20000/ts/master.m3u8`), { kind: 'manifest', of: 'ts', cut });
  t.match(parsePlayPath(`${video}/cut-1500-20000/v0/index.m3u8`), { kind: 'playlist', transport: false, cut });
  t.match(parsePlayPath(`${video}/cut-1500-20000/ts/v0/index.m3u8`), { kind: 'playlist', transport: true, cut });
  t.match(parsePlayPath(`${video}/cut-0-end/v0/index.m3u8`), { cut: { cut: { inMicros: 0, outMicros: null } } });
  const not = ['cut-01-5', 'cut-5-5', 'cut-6-5', 'cut-0-0', 'cut--1-5', 'cut-1', 'cut-1-', 'cut-end-5', 'cut-1-5-9', 'cut-9999999999-end', 'cut-1.5-9', 'cut-1-05'];
  for (const step of not) t.equal(parsePlayPath(`${video}/${step}/master.m3u8`).kind, 'unknown', step);
  t.equal(parsePlayPath(`${video}/cut-1-5/v0/${run}-1.m4s`).kind, 'unknown', 'media has its own name');
  t.equal(parsePlayPath(`${video}/cut-1-5/ts/v0/${run}-1.ts`).kind, 'unknown');
  t.equal(parsePlayPath(`${video}/cut-1-5/mp4/${run}-v0.mp4`).kind, 'unknown');
  t.equal(parsePlayPath('/play/-/@show/cut-1-5/master.m3u8').kind, 'unknown');
});

t.test('what is not an address is bad or unknown, and nothing else', async (t) => {
  for (const path of [`${video}/v0/%2e%2e`, `${video}/%00`, '/play/-/vidéo-0001/x', `${video}/v0/a\\b`, `${video}/v0/a b`, `/play/${'a'.repeat(8192)}`, `${video}/v0/x;y`]) {
    t.equal(parsePlayPath(path).kind, 'bad', path.slice(0, 60));
  }
  const unknown = [
    '/play/', '/play//', '/play/-', '/play/-/', '/play/-/short/master.m3u8', `/play/-/${'a'.repeat(41)}/master.m3u8`, video, `${video}/`,
    `${video}/master.m3u8/`, `${video}/v0`, `${video}/v0/`, `${video}/v0/master.m3u8`, `${video}/../index.m3u8`, `${video}/V0/index.m3u8`,
    `${video}/v0/${run}-1.m4s/x`, `${video}/v0/${run}-1.ts`, `${video}//index.m3u8`, `/play/../video-00000001/master.m3u8`,
    `/play//video-00000001/master.m3u8`, '/play/-/@/master.m3u8', '/play/-/@a/b/master.m3u8', '/play/-/@A/master.m3u8', `/play/-/@${'a'.repeat(41)}/master.m3u8`,
    `/play/-/@show/v0/index.m3u8`, `/play/${'g'.repeat(1025)}/video-00000001/master.m3u8`, '/play/-/__proto__/__proto__/constructor',
    '/play/time/', '/play/time/x', `${video}/ts`, `${video}/ts/`, `${video}/ts/ts/master.m3u8`, `${video}/ts/v0/iframes.m3u8`, `${video}/ts/v0/${run}-1.m4s`,
    `${video}/ts/v0/${run}-01.ts`, `${video}/mp4/${run}.mp4`, `${video}/mp4/${run}-v0-v0.mp4`, `${video}/mp4/x/${run}-v0.mp4`, `${video}/v0/manifest.mpd`,
    `${video}/manifest.mpd/`, `/play/-/@show/ts/manifest.mpd`, `${video}/cut-1-5/cut-1-5/master.m3u8`, `${video}/ts/cut-1-5/master.m3u8`,
  ];
  for (const path of unknown) t.equal(parsePlayPath(path).kind, 'unknown', path.slice(0, 60));
});

t.test('100,000 damaged addresses never throw and are judged fast', async (t) => {
  let state = 0x2545f491;
  const random = (below: number): number => {
    state = Math.imul(state ^ (state >>> 15), state | 1) ^ (state + Math.imul(state ^ (state >>> 7), state | 61));
    return (state >>> 0) % below;
  };
  const good = ['/play/-/video-00000001/master.m3u8', `/play/a.b/video-00000001/v0/${run}-1-2.m4s`, '/play/-/@show/master.m3u8', `${video}/v0/index.m3u8`, `${video}/ts/v0/${run}-1.ts`, `${video}/mp4/${run}-v0-a0.mp4`, `${video}/cut-1500-end/ts/v0/whole.m3u8`];
  const kinds = new Map<string, number>();
  for (let round = 0; round < 100_000; round++) {
    let path = good[random(good.length)] ?? '';
    for (let damage = random(4); damage > 0; damage--) {
      const at = 6 + random(path.length - 6);
      path = path.slice(0, at) + String.fromCharCode(random(300)).repeat(random(30) === 0 ? 500 : random(2)) + path.slice(at + random(3));
    }
    const { kind } = parsePlayPath(path);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  t.ok([...kinds.values()].every((count) => count > 1000) && kinds.size === 8, JSON.stringify([...kinds]));
});
