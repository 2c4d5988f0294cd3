import t from 'tap';
import { parsePlayPath } from './path.ts';

const run = 'k3v9x0a2b7';

t.test('the kinds of address', async (t) => {
  t.same(parsePlayPath('/play/-/video-00000001/master.m3u8'), { kind: 'multivariant', grant: '-', video: 'video-00000001' });
  t.same(parsePlayPath('/play/a.B_c-9/@my-show/master.m3u8'), { kind: 'channel', grant: 'a.B_c-9', channel: 'my-show' });
  t.same(parsePlayPath('/play/-/video-00000001/v0/index.m3u8'), { kind: 'playlist', grant: '-', video: 'video-00000001', track: 'v0', whole: false });
  t.match(parsePlayPath('/play/-/video-00000001/v0/whole.m3u8'), { kind: 'playlist', track: 'v0', whole: true });
  t.match(parsePlayPath(`/play/-/video-00000001/a0/${run}-12-3.m4s`), { kind: 'media', track: 'a0', name: { kind: 'part', msn: 12, part: 3 } });
});

t.test('what is not an address is bad or unknown, and nothing else', async (t) => {
  const video = '/play/-/video-00000001';
  for (const path of [`${video}/v0/%2e%2e`, `${video}/%00`, '/play/-/vidéo-0001/x', `${video}/v0/a\\b`, `${video}/v0/a b`, `/play/${'a'.repeat(8192)}`, `${video}/v0/x;y`]) {
    t.equal(parsePlayPath(path).kind, 'bad', path.slice(0, 60));
  }
  const unknown = [
    '/play/', '/play//', '/play/-', '/play/-/', '/play/-/short/master.m3u8', `/play/-/${'a'.repeat(41)}/master.m3u8`, video, `${video}/`,
    `${video}/master.m3u8/`, `${video}/v0`, `${video}/v0/`, `${video}/v0/master.m3u8`, `${video}/../index.m3u8`, `${video}/V0/index.m3u8`,
    `${video}/v0/${run}-1.m4s/x`, `${video}/v0/${run}-1.ts`, `${video}//index.m3u8`, `/play/../video-00000001/master.m3u8`,
    `/play//video-00000001/master.m3u8`, '/play/-/@/master.m3u8', '/play/-/@a/b/master.m3u8', '/play/-/@A/master.m3u8', `/play/-/@${'a'.repeat(41)}/master.m3u8`,
    `/play/-/@show/v0/index.m3u8`, `/play/${'g'.repeat(1025)}/video-00000001/master.m3u8`, '/play/-/__proto__/__proto__/constructor',
  ];
  for (const path of unknown) t.equal(parsePlayPath(path).kind, 'unknown', path.slice(0, 60));
});

t.test('100,000 damaged addresses never throw and are judged fast', async (t) => {
  let state = 0x2545f491;
  const random = (below: number): number => {
    state = Math.imul(state ^ (state >>> 15), state | 1) ^ (state + Math.imul(state ^ (state >>> 7), state | 61));
    return (state >>> 0) % below;
  };
  const good = ['/play/-/video-00000001/master.m3u8', `/play/a.b/video-00000001/v0/${run}-1-2.m4s`, '/play/-/@show/master.m3u8', '/play/-/video-00000001/v0/index.m3u8'];
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
  t.ok([...kinds.values()].every((count) => count > 1000) && kinds.size === 6, JSON.stringify([...kinds]));
});
