/** Videos whose keys a service makes that has to be asked: what is said of them to players, and what becomes of a video without. */
import t, { type Test } from 'tap';
import { FakeClock, systemClock, type Clock } from '../../packager/clock.ts';
import { readByM3u8Parser } from '../../packager/hls/judges.ts';
import { clipFile, clipOf, record, type Recorded } from '../../packager/mpegts/recorded.ts';
import type { Scheme } from '../../packager/protect/keys.ts';
import { askedKeys } from '../keys/asked-keys.ts';
import { FakeKeyService, psshOf, systems } from '../keys/fake-service.ts';
import { KeyRings } from '../keys/rings.ts';
import { FakePresentation, recordedPresentation } from './fake-presentation.ts';
import { TestServer } from './test-server.ts';

const clip = await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=2'));
const ended = await record([{ clip, until: 9000 }]);
const id = 'video-00000004';
const other = 'video-00000005';
const play = `/play/-/${id}`;
const code = (text: string): string => JSON.parse(text).code;
const [widevine, unknown] = systems;

const under = ({ snapshot, ...rest }: Recorded, video: string, protection: Scheme): Recorded => ({ ...rest, snapshot: { ...snapshot, video, policy: { ...snapshot.policy, protection } } });

const start = async (t: Test, scheme: Scheme = 'cbcs', clock: Clock = systemClock, perKey = 3) => {
  const service = new FakeKeyService(perKey);
  const told: string[] = [];
  const server = await TestServer.start({ keys: new KeyRings({ source: askedKeys(service, clock), clock, failed: (video) => told.push(video) }) });
  t.teardown(() => server.stop());
  for (const video of [id, other]) server.presentations.videos.set(video, recordedPresentation(under(ended, video, scheme)));
  return { server, service, told };
};

t.test('playlists, the manifest and init segments carry what the service says of each key', async (t) => {
  const { server, service } = await start(t);
  const lists = (await server.ask(`${play}/v0/whole.m3u8`)).text;
  const { complaints } = readByM3u8Parser(lists);
  t.same(complaints, []);
  const lines = lists.split('\n').filter((line) => line.startsWith('#EXT-X-KEY'));
  const maps = [...lists.matchAll(/^#EXT-X-MAP:URI="([^"]+)"/gm)].map(([, name = '']) => name);
  t.ok(maps.length >= 2, `${maps.length} keys`);
  t.equal(lines.length, 3 * maps.length);
  for (const [index, name] of maps.entries()) {
    const [key] = await service.keys(id, [index], new AbortController().signal);
    if (!key) throw new Error('no key');
    const pssh = psshOf(widevine, key.kid);
    const [iv, kid] = [key.iv.toString('hex'), key.kid.toString('hex')];
    t.same(lines.slice(3 * index, 3 * index + 3), [
      `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,${pssh.toString('base64')}",KEYID=0x${kid},KEYFORMAT="urn:uuid:${widevine}",KEYFORMATVERSIONS="1",IV=0x${iv}`,
      `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://example.org/${index}",KEYID=0x${kid},KEYFORMAT="org.example.licences",IV=0x${iv}`,
      `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="../keys/${kid}",KEYFORMAT="identity",IV=0x${iv}`,
    ]);
    const { body } = await server.ask(`${play}/v0/${name}`);
    t.ok(body.includes(pssh), 'the box as it came');
    t.equal(body.toString('latin1').split('pssh').length - 1, 2, 'and the common one');
    t.ok(body.includes(key.kid));
  }
  const session = (await server.ask(`${play}/master.m3u8`)).text.split('\n').filter((line) => line.startsWith('#EXT-X-SESSION-KEY'));
  t.same(session, lines.slice(0, 3).map((line) => line.replace('EXT-X-KEY', 'EXT-X-SESSION-KEY').replace('../keys', 'keys')));
  const manifest = (await server.ask(`${play}/manifest.mpd`)).text;
  t.equal(manifest.split(`<ContentProtection schemeIdUri="urn:uuid:${widevine}" value="Widevine"><cenc:pssh>`).length - 1, 2 * maps.length);
  t.match(manifest, `<ContentProtection schemeIdUri="urn:uuid:${unknown}"><x:Hint xmlns:x="urn:example">0</x:Hint></ContentProtection>`);
  t.match(manifest, /schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0"/);
  const cut = (await server.ask(`${play}/cut-0-8000/v0/whole.m3u8`)).text;
  t.match(cut, /URI="skd:\/\/example\.org\/0"/, 'an address of somebody else stays what it is, wherever the playlist lies');
  t.match(cut, /URI="\.\.\/\.\.\/keys\/|URI="\.\.\/\.\.\/v0\/\.\.\/keys\//);
  t.match((await server.ask(`${play}/cut-0-8000/master.m3u8`)).text, /#EXT-X-SESSION-KEY.*URI="\.\.\/keys\//);
});

t.test('AES-128 names the key alone: what is for licences is of no use there', async (t) => {
  const { server } = await start(t, 'aes-128');
  const { text } = await server.ask(`${play}/v0/whole.m3u8`);
  t.match(text, /^#EXT-X-KEY:METHOD=AES-128,URI="\.\.\/keys\/[0-9a-f]{32}",IV=/m);
  t.notMatch(text, /skd:|urn:uuid/);
  t.notMatch((await server.ask(`${play}/master.m3u8`)).text, /SESSION-KEY/);
});

t.test('a key for which players are sent to somebody else is not given here', async (t) => {
  for (const here of [true, false]) {
    const { server, service } = await start(t);
    service.alsoHere = here;
    const [key] = await service.keys(id, [0], new AbortController().signal);
    const kid = key?.kid ?? Buffer.alloc(0);
    t.equal((await server.ask(`${play}/keys/${kid.toString('hex')}`)).status, here ? 200 : 404);
    const licence = await server.ask(`${play}/keys/licence`, { method: 'POST', body: JSON.stringify({ kids: [kid.toString('base64url')] }) });
    t.equal(licence.status, here ? 200 : 404);
    const said = (await server.ask(`${play}/v0/whole.m3u8`)).text + (await server.ask(`${play}/manifest.mpd`)).text;
    t.equal(/KEYFORMAT="identity"/.test(said), here);
    t.equal(/e2719d58/.test(said), here);
  }
});

t.test('a video without keys is a 503 with a code wherever they are needed, and its neighbours play', async (t) => {
  for (const [fault, want] of [['silent', 'keys-late'], ['refuses', 'keys-failed'], ['short', 'keys-unusable']] as const) {
    const clock = new FakeClock();
    const { server, service, told } = await start(t, 'cbcs', clock);
    service.faults.set(id, fault);
    const asked = ['master.m3u8', 'manifest.mpd', 'v0/whole.m3u8', `v0/${ended.snapshot.run}-1.m4s`, `a0/${ended.snapshot.run}-i0-0.mp4`, `keys/${'0'.repeat(32)}`].map((path) => server.ask(`${play}/${path}`));
    let over = false;
    const answers = Promise.all(asked).finally(() => (over = true));
    const time = setInterval(() => over || clock.advance(100), 2);
    t.teardown(() => clearInterval(time));
    for (const { status, headers, text } of await answers) {
      t.equal(status, 503, fault);
      t.equal(code(text), want);
      t.match(headers, { 'retry-after': '5', 'cache-control': 'no-store' });
    }
    clearInterval(time);
    t.same(told, [id], 'one line for the operator');
    t.same(server.errors, []);
    t.equal((await server.ask(`/play/-/${other}/v0/whole.m3u8`)).status, 200);
    service.faults.clear();
    clock.advance(5000);
    t.equal((await server.ask(`${play}/v0/whole.m3u8`)).status, 200, 'and it plays when they are there');
  }
});

t.test('who waits at the live edge gets what comes under the next key, which was asked for before it was needed', async (t) => {
  const { server, service } = await start(t);
  const video = server.presentations.add(new FakePresentation({ video: 'video-00000006' })).do((stream) => stream.segments(7).part());
  const plain = video.snapshot.bind(video);
  video.snapshot = () => ({ ...plain(), policy: { ...plain().policy, protection: 'aes-128' } });
  const list = '/play/-/video-00000006/v0/index.m3u8';
  await server.ask(list);
  await server.ask(list);
  while (!service.asked.includes('video-00000006 3')) await new Promise((turn) => setImmediate(turn));
  const waiting = server.ask(`${list}?_HLS_msn=9&_HLS_part=0`);
  await server.waiting(1);
  service.faults.set('video-00000006', 'silent');
  video.do((stream) => stream.segments(1).part());
  const { status, text } = await waiting;
  t.equal(status, 200);
  t.match(text, /-8\.m4s\n#EXT-X-KEY:.*\n(?:#.*\n)*#EXT-X-PART:.*-9-0\.m4s/);
});

t.test('a file costs one question for its own key, and a list one for what it lists', async (t) => {
  const { run } = ended.snapshot;
  const wanted = { [`v0/${run}-2.m4s`]: [2], [`a0/${run}-i0-1.mp4`]: [1], 'master.m3u8': [0, 1], 'cut-0-1000/v0/whole.m3u8': [0, 1] };
  for (const [path, slots] of Object.entries(wanted)) {
    const { server, service } = await start(t, 'cbcs', systemClock, 1);
    t.equal((await server.ask(`${play}/${path}`)).status, 200, path);
    t.equal(service.asked.length, 1, path);
    const asked = service.asked[0]?.split(' ')[1]?.split(',').map(Number) ?? [];
    t.ok(asked.length === 1 && slots.includes(asked[0] ?? -1), `${path}: ${asked.join(',')}`);
  }
  const { server, service } = await start(t, 'aes-128', systemClock, 1);
  t.equal((await server.ask(`${play}/master.m3u8`)).status, 200);
  t.same(service.asked, [], 'which names no key');
});

t.test('init segments are there for the keys that their epoch is under, and for no other one', async (t) => {
  const twice = await record([{ clip, until: 9000 }, { clip, until: 9000 }]);
  const { server } = await start(t, 'cbcs', systemClock, 1);
  server.presentations.videos.set(id, recordedPresentation(under(twice, id, 'cbcs')));
  const listed = [...(await server.ask(`${play}/v0/whole.m3u8`)).text.matchAll(/URI="([^"]+-i(\d+)-(\d+)\.mp4)"/g)].map(([, name = '', epoch, slot]) => ({ name, epoch: Number(epoch), slot: Number(slot) }));
  for (const { name } of listed) t.equal((await server.ask(`${play}/v0/${name}`)).status, 200, name);
  const [first, last] = [listed.filter(({ epoch }) => epoch === 0), listed.filter(({ epoch }) => epoch === 1)];
  t.ok(first.length >= 2 && last.length >= 2, `${first.length} and ${last.length}`);
  const named = (of: typeof listed, slot: number): string => of[0]?.name.replace(/-\d+\.mp4$/, `-${slot}.mp4`) ?? '';
  for (const name of [named(first, last.at(-1)?.slot ?? 0), named(first, 99), named(last, first[0]?.slot ?? 0), named(last, 99)]) t.equal((await server.ask(`${play}/v0/${name}`)).status, 404, name);
});
