/**
 * How far back a show goes while it is on, seen from outside: what the playlists of a channel list after two minutes of
 * media, pushed faster than real time. Players need a minute in any case, so less than that is never listed.
 */
import t from 'tap';
import { playlist, until, type Playlist } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

type Seen = Channel & { readonly dvr: number | null; readonly live: { readonly videoId: string } | null };
type Playback = { readonly hls: string; readonly dash: string };

const clip = await flvClip({ bframes: 0, width: 160, height: 90, kbps: 100 });
const rounds = 15;
const roundSeconds = 8;
/** One GOP of the clip; a segment is as long. */
const segmentSeconds = 2;
const pushed = rounds * roundSeconds;
/** The last GOP is still open when the last picture has come. */
const closed = pushed - segmentSeconds;

const server = await startServer({ env: { MILLRACE_LIVE_DVR: '90s' } });
t.teardown(() => server.stop());
const token = await server.login();

const seconds = ({ segments }: Playlist): number => segments.reduce((sum, { duration }) => sum + duration, 0);

const show = async (settings: { name: string; dvr?: number | null }): Promise<{ sender: ShowSender; channel: Seen; video: string }> => {
  const made = await server.createChannel(token, settings);
  const sender = await ShowSender.connect(server, made, clip);
  for (let round = 0; round < rounds; round += 1) await sender.send({ shift: round * roundSeconds * 1000 });
  const channel = await until(() => server.must<Seen>('GET', `channels/${made.id}`, undefined, token), ({ live }) => live !== null);
  const video = channel.live?.videoId ?? '';
  for (const track of ['v0', 'a0']) {
    await until(() => playlist(server, video, track), ({ mediaSequence, segments }) => (mediaSequence - 1 + segments.length) * segmentSeconds >= closed);
  }
  return { sender, channel, video };
};

for (const [name, settings, listed] of [
  ['none', { dvr: 0 }, 60],
  ['thirty-seconds', { dvr: 30 }, 60],
  ['as-configured', {}, 90],
  ['whole', { dvr: null }, null],
] as const) {
  t.test(`${name}: ${listed === null ? 'all of the show is listed' : `${listed} s are listed, and less than a segment more`}`, async (t) => {
    const { sender, channel, video } = await show({ name, ...settings });
    t.equal(channel.dvr, 'dvr' in settings ? settings.dvr : 90);
    for (const track of ['v0', 'a0']) {
      const live = await playlist(server, video, track);
      t.notOk(live.ended);
      if (listed === null) {
        t.equal(live.mediaSequence, 1, 'from the beginning');
        t.ok(seconds(live) >= closed - 0.1, `${track}: ${seconds(live)} s`);
      } else {
        t.ok(live.mediaSequence > 1, `${track} from ${live.mediaSequence}`);
        t.ok(seconds(live) >= listed - 0.1 && seconds(live) < listed + segmentSeconds + 0.1, `${track}: ${seconds(live)} s`);
      }
    }
    // What was promised holds for this show; the next one has what the channel has become.
    await server.must('PATCH', `channels/${channel.id}`, { dvr: 600 }, token);
    const before = await playlist(server, video, 'v0');
    await sender.send({ shift: pushed * 1000 });
    const after = await until(() => playlist(server, video, 'v0'), ({ mediaSequence, segments }) => (mediaSequence - 1 + segments.length) * segmentSeconds >= closed + roundSeconds);
    t.equal(after.mediaSequence, listed === null ? 1 : before.mediaSequence + roundSeconds / segmentSeconds);
    await sender.end();
    await until(() => playlist(server, video, 'v0'), ({ ended }) => ended);
    const last = await playlist(server, video, 'v0');
    // The open segment was closed by the end, so that the window moved on by it, and by no more.
    t.equal(last.mediaSequence, listed === null ? 1 : after.mediaSequence + 1, 'the end takes nothing away from who watches');
    t.ok(seconds(last) >= Math.min(listed ?? Infinity, pushed));
    const whole = await fetch(`${server.origin}/play/-/${video}/v0/whole.m3u8`);
    const extents = [...(await whole.text()).matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length));
    t.ok(Math.abs(extents.reduce((sum, length) => sum + length, 0) - pushed - roundSeconds) < 0.1, 'the recording is all of it, whatever was listed');
  });
}

t.test('a player is sent to the beginning, or to so long before now, by the address that it was given', async (t) => {
  const { sender, channel } = await show({ name: 'start-over', dvr: null });
  for (const start of [0, -45]) {
    const { hls } = await server.must<Playback>('POST', `channels/${channel.id}/playback`, { start }, token);
    t.match(await (await fetch(hls)).text(), new RegExp(`#EXT-X-START:TIME-OFFSET=${start}(?:\\.0+)?[,\\n]`));
    t.match(await (await fetch(server.liveUrl(channel, `master.m3u8?start=${start}`))).text(), new RegExp(`#EXT-X-START:TIME-OFFSET=${start}`));
  }
  const { dash } = await server.must<Playback>('POST', `channels/${channel.id}/playback`, {}, token);
  const [, depth] = /timeShiftBufferDepth="PT([\d.]+)S"/.exec(await (await fetch(dash)).text()) ?? [];
  t.ok(Number(depth) >= closed - 0.1, `DASH goes back as far: ${depth} s`);
  await sender.end();
});
