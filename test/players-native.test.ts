/** VLC, GStreamer and ffmpeg pull what a whole server serves: HLS in fMP4 and in MPEG-TS, and DASH, recorded and live. */
import t, { type Test } from 'tap';
import { clip } from './support/clips.ts';
import { decodeStamps, push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';
import { elderDash, gstreamerStamps, noGstreamer, noVlc, vlcStamps, type Watched } from './support/stamped-players.ts';

t.setTimeout(110_000);
const picture = { bframes: 2, width: 320, height: 180, kbps: 300 };
const source = await clip(picture);
const units = await flvClip(picture);
const { width, height, frames } = source;
const size = { width, height };

const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();

/** The video of a show that was sent in so many sessions, each an epoch. */
const recorded = async (name: string, sessions: number): Promise<string> => {
  const channel = await server.createChannel(token, { name });
  let video = '';
  for (let session = 0; session < sessions; session += 1) {
    const sender = await ShowSender.connect(server, channel, units);
    await sender.send({ shift: session * 1_000_000 });
    const { live } = await until(
      () => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`),
      (seen) => seen.live !== null,
    );
    video = live?.videoId ?? '';
    if (session < sessions - 1) sender.vanish();
    else await sender.end();
  }
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  return `${server.origin}/play/-/${video}`;
};

const views = { 'HLS in fMP4': 'master.m3u8', 'HLS in MPEG-TS': 'ts/master.m3u8', DASH: 'manifest.mpd' } as const;
const once = Array.from({ length: frames }, (_, frame) => frame);

/** Where the number is not the next one (the clip loops): empty when every picture came once, in order. */
const breaks = (stamps: readonly (number | null)[]): string[] =>
  stamps.flatMap((stamp, index) => {
    const before = index === 0 ? null : stamps[index - 1];
    if (stamp === null) return [`picture ${index} cannot be read`];
    return before === null || before === undefined || stamp === (before + 1) % frames ? [] : [`${stamp} after ${before}`];
  });

const enough = 100;
const inOrder = (t: Test, what: string, { stamps, said }: Watched, least = enough): void => {
  t.ok(stamps.length >= least, `${what}: ${stamps.length} pictures${stamps.length >= least ? '' : `\n${said}`}`);
  t.same(breaks(stamps), [], `${what}: in order`);
};

const single = await recorded('one', 1);
const double = await recorded('two', 2);
const channel = await server.createChannel(token, { name: 'on-air' });
const sender = push(source.file, server.rtmpUrl(channel));
t.teardown(() => sender.kill());
await server.live(channel);
const live = (file: string): string => server.liveUrl(channel, file);

t.test('ffmpeg decodes every picture once', async (t) => {
  for (const [name, file] of Object.entries(views)) {
    const { stamps, errors } = await decodeStamps(`${single}/${file}`, size);
    t.same(stamps, once, `${name}, recorded`);
    t.equal(errors, '', `${name}, recorded: not a word`);
  }
  // Its DASH demuxer plays one Period of a manifest, the longest: of two epochs it shows one.
  for (const file of [views['HLS in fMP4'], views['HLS in MPEG-TS']]) {
    t.same((await decodeStamps(`${double}/${file}`, size)).stamps, [...once, ...once], `${file}: over the border of epochs`);
  }
});

t.test('ffmpeg follows a show in progress', async (t) => {
  await Promise.all(
    Object.entries(views).map(async ([name, file]) => {
      const { stamps, errors } = await decodeStamps(live(file), size, { after: ['-frames:v', String(enough)], timeoutMs: 40_000 });
      inOrder(t, name, { stamps, said: errors });
    }),
  );
});

t.test('GStreamer decodes every picture once, over the border of epochs', { skip: noGstreamer }, async (t) => {
  for (const [name, file] of Object.entries(views)) {
    const { stamps, said } = await gstreamerStamps(`${double}/${file}`, size);
    t.same(stamps, [...once, ...once], `${name}: ${said}`);
  }
});

t.test('GStreamer follows a show in progress', { skip: noGstreamer }, async (t) => {
  await Promise.all(
    Object.entries(views).map(async ([name, file]) => {
      const options = { ...size, pictures: enough };
      // The newer demuxer of 1.22 reads the live manifest again and again and asks for no segment of it; the elder plays it.
      inOrder(t, name, await gstreamerStamps(live(file), options, file === views.DASH ? elderDash(live(file)) : undefined));
    }),
  );
});

/** VLC shows a recording from its first picture or from the one after it. */
const fromTheBeginning = (t: Test, what: string, watched: Watched, count: number): void => {
  inOrder(t, what, watched, count - 10);
  t.ok((watched.stamps[0] ?? 99) < 5, `${what}: from ${watched.stamps[0]}`);
};

t.test('VLC plays a recording in order', { skip: noVlc }, async (t) => {
  await Promise.all([
    ...Object.entries(views).map(async ([name, file]) => {
      fromTheBeginning(t, name, await vlcStamps(`${single}/${file}`, size), frames);
    }),
    // VLC 3 reads the first EXT-X-MAP of a playlist and no other: behind a discontinuity in fMP4 it says "no moov before
    // mdat" and shows nothing more. In MPEG-TS there is nothing to read first; what it had not yet shown at the border it
    // throws away.
    (async () => {
      const { stamps, said } = await vlcStamps(`${double}/${views['HLS in MPEG-TS']}`, size);
      t.ok(stamps.length > 2 * frames - 60, `two epochs in MPEG-TS: ${stamps.length} pictures${stamps.length === 0 ? said : ''}`);
      t.ok(breaks(stamps).length <= 2, `two epochs in MPEG-TS: ${breaks(stamps).join(', ')}`);
      t.ok((stamps.at(-1) ?? 0) > frames - 20, `two epochs in MPEG-TS: to ${stamps.at(-1)}`);
    })(),
  ]);
});

t.test('VLC follows a show in progress', { skip: noVlc }, async (t) => {
  await Promise.all(
    Object.entries(views).map(async ([name, file]) => inOrder(t, name, await vlcStamps(live(file), { ...size, pictures: enough }), enough - 5)),
  );
});

t.test('ffmpeg and VLC play the file for downloads', { skip: noVlc }, async (t) => {
  const { downloads } = await server.must<{ downloads: { url: string }[] }>('POST', `videos/${single.split('/').at(-1)}/playback`, {});
  const { stamps } = await decodeStamps(downloads[0]?.url ?? '', size);
  t.same(stamps, once, 'ffmpeg');
  fromTheBeginning(t, 'VLC', await vlcStamps(downloads[0]?.url ?? '', size), frames);
});
