/** The picture of what is live, as cards have it: of the newest key picture, under the rules of the media, and gone with the show. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { enhancedClip, enhancedFrames, pushEnhanced } from './support/enhanced-push.ts';
import { decodeStamps } from './support/ffmpeg.ts';
import { noPrograms } from './support/left-behind.ts';
import { until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

t.setTimeout(110_000);
type Seen = { readonly live: { readonly videoId: string; readonly picture: string | null } | null };
const { width, height } = enhancedFrames;

/** Every 60th picture is a key picture, and has its number in it. */
const clip = await flvClip({ bframes: 2, width, height, kbps: 300 });
const hevc = await enhancedClip('hevc', 'aac');
const folder = await mkdtemp(join(tmpdir(), 'millrace-live-picture-'));
const server = await startServer({ env: { MILLRACE_LOG_LEVEL: 'debug' } });
t.teardown(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
const token = await server.login();

const seen = (channel: Pick<Channel, 'id'>, by?: string): Promise<Seen> => server.must<Seen>('GET', `channels/${channel.id}`, undefined, by);
const pictureOf = async (channel: Channel, by?: string): Promise<string | null> => (await seen(channel, by)).live?.picture ?? null;
/** The numbers in the pictures at these addresses: one address is one picture. */
const known = new Map<string, number | null>();
const stampOf = async (url: string): Promise<number | null> => {
  const before = known.get(url);
  if (before !== undefined) return before;
  const answer = await fetch(url);
  if (answer.headers.get('content-type') !== 'image/jpeg') throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  const file = join(folder, `${known.size}.jpg`);
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  const { stamps, errors } = await decodeStamps(file, { width, height });
  t.equal(errors, '');
  known.set(url, stamps[0] ?? null);
  return stamps[0] ?? null;
};
/** Its address, when the card shows what it should. */
const shows = async (channel: Channel, fits: (number: number) => boolean, by?: string): Promise<string> => {
  const card = async (): Promise<{ url: string; stamp: number | null }> => {
    const url = (await pictureOf(channel, by)) ?? '';
    return { url, stamp: url === '' ? null : await stampOf(url) };
  };
  return (await until(card, ({ stamp }) => stamp !== null && fits(stamp))).url;
};
const code = async (url: string): Promise<string> => {
  const answer = await fetch(url);
  const text = await answer.text();
  return answer.headers.get('content-type') === 'application/problem+json' ? `${answer.status} ${String((JSON.parse(text) as { code: unknown }).code)}` : String(answer.status);
};

t.test('a card has the newest key picture of its show, another one when there is, and none when the show is over', async (t) => {
  const channel = await server.createChannel(token, { name: 'open' });
  t.same((await seen(channel)).live, null);
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const first = await shows(channel, (number) => number === 180);
  t.match(first, new RegExp(`^${server.origin}/play/-/[a-z0-9]+/picture\\.jpg\\?v=[0-9a-f]{16}$`));
  await sender.send({ until: 3_900, shift: 8_000 });
  const second = await shows(channel, (number) => number === 60);
  t.not(second, first, 'under another address');
  const answer = await fetch(second);
  t.match(answer.headers.get('cache-control'), 'public, max-age=5');
  const again = await fetch(first, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } });
  t.equal(again.status, 304);
  await sender.end();
  await until(() => code(second), (said) => said === '404 no-picture');
  t.equal((await seen(channel)).live, null);
});

t.test('that of a private channel is for whoever may watch it', async (t) => {
  const channel = await server.createChannel(token, { name: 'hidden', visibility: 'private', protection: 'aes-128' });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const url = await shows(channel, (number) => number === 180, token);
  const [, grant = '', video = ''] = /\/play\/([^/]+)\/([^/]+)\/picture\.jpg/.exec(url) ?? [];
  const at = (grant: string, file: string): string => `${server.origin}/play/${grant}/${video}/${file}`;
  t.equal((await server.api('GET', `channels/${channel.id}`)).status, 404);
  t.match((await fetch(url)).headers.get('cache-control'), 'private, max-age=5');
  t.equal(await code(at('-', 'picture.jpg')), '404 not-found');
  t.equal(await code(at(`${grant.slice(0, -2)}AA`, 'picture.jpg')), '403 grant-signature');
  t.equal(await code(at(grant, 'master.m3u8')), '403 grant-other-audience', 'it opens the picture alone');
  sender.vanish();
});

t.test('nothing where key pictures should be costs its own channel its picture, and nobody else anything', async (t) => {
  const spoilt = clip.units.map((unit) => {
    if (unit.kind !== 'video' || !unit.key) return unit;
    const data = Buffer.from(unit.data);
    return { ...unit, data: data.fill(0, keyAt(data) + 5) };
  });
  const [bad, good] = [await server.createChannel(token, { name: 'bad' }), await server.createChannel(token, { name: 'good' })];
  const sender = await ShowSender.connect(server, bad, { ...clip, units: spoilt });
  await sender.send();
  await until(() => seen(bad), ({ live }) => live !== null);
  const other = await ShowSender.connect(server, good, clip);
  await other.send();
  await shows(good, (number) => number === 180);
  await until(async () => server.log, (log) => log.includes('A live picture could not be made'));
  t.equal(await pictureOf(bad), null);
  await sender.end();
  await other.end();
});

t.test('a show in HEVC that is sent as it happens has a picture of its last seconds', async (t) => {
  const channel = await server.createChannel(token, { name: 'hevc' });
  const sender = pushEnhanced('hevc', hevc, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await shows(channel, (number) => number % 60 === 0);
  await sender.stop();
});

t.test('nothing of what made them is left when the server has stopped', async (t) => {
  await server.stop();
  t.ok(await noPrograms(join(server.data, 'jobs')));
});

/** Where the coded picture begins, behind what is said about it: samples are lengths of four bytes, each with a NAL unit. */
function keyAt(data: Buffer): number {
  for (let at = 0; at + 5 < data.length; at += 4 + data.readUInt32BE(at)) if (((data[at + 4] ?? 0) & 31) === 5) return at;
  throw new Error('a key picture without an IDR picture');
}
