/**
 * Players on an upload whose rungs were made here: switched up and down by hand, every picture is the one that belongs at its
 * place; whoever plays one rung to its end has every picture of it; an original of HEVC has rungs of H.264 for those who do not
 * know it; and sound that was made anew is in step to the sample.
 */
import t from 'tap';
import { encoded } from '../support/encoded.ts';
import { launchChromium } from '../support/chromium.ts';
import { decodeStamps, mustFfmpeg } from '../support/ffmpeg.ts';
import { switchRungs, type Switcher } from '../support/ladder-players.ts';
import { offsetBetween } from '../support/opus-packets.ts';
import { servePlayerPages } from '../support/player-page.ts';
import { gstreamerStamps, noGstreamer, noVlc, vlcStamps } from '../support/stamped-players.ts';
import { looped, RungStage } from '../support/vod-rungs.ts';

t.setTimeout(600_000);
const stage = await RungStage.open(t);
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

const seconds = 40;
const frames = seconds * 30;
const film = await looped(seconds);
const { base } = await stage.ready(film);
const heights = [144, 240, 360];

const switchers: readonly Switcher[] = [
  { name: 'hls.js', player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 6 },
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', keepBuffer: false, switches: 6 },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', keepBuffer: false, switches: 6 },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', keepBuffer: true, switches: 6 },
];

/** One player after the other, so that a stall is nobody's fault but ours. */
t.test('every picture is at its place, whatever rung it comes from', async (t) => {
  for (const switcher of switchers) {
    await t.test(switcher.name, async (t) => {
      const seen = await switchRungs(browser, pages, { base, heights }, switcher);
      t.comment(`${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s`);
      t.equal(seen.heights.length, switcher.switches);
      t.same([seen.faults, seen.errors, seen.stalls, seen.complaints], [[], [], [], []]);
    });
  }
});

type Rung = { readonly uri: string; readonly width: number; readonly height: number; readonly codecs: string };

/** The dearest first. */
const rungsOf = async (master: string): Promise<Rung[]> => {
  const text = await (await fetch(master)).text();
  const lines = [...text.matchAll(/#EXT-X-STREAM-INF:[^\n]*CODECS="([^"]+)"[^\n]*\n([^\n#]+)/g)];
  return lines.map(([line, codecs = '', uri = '']) => {
    const [, width, height] = /RESOLUTION=(\d+)x(\d+)/.exec(line) ?? [];
    return { uri: new URL(uri, master).href, width: Number(width), height: Number(height), codecs };
  });
};

/** What is wrong with the numbers of all pictures of a film of so many; empty: each is there once, in its place. */
const wrong = (stamps: readonly (number | null)[], count: number): string[] => {
  const faults = stamps.flatMap((stamp, index) => (stamp === index % 240 ? [] : [`picture ${index} is ${stamp}`]));
  return [...(stamps.length === count ? [] : [`${stamps.length} pictures, not ${count}`]), ...faults.slice(0, 5)];
};

t.test('a rung played to its end has every picture', async (t) => {
  const rungs = await rungsOf(`${base}/master.m3u8`);
  t.same(rungs.map(({ height }) => height).toSorted((a, b) => a - b), heights);
  for (const { uri, width, height } of rungs) {
    const { stamps, errors } = await decodeStamps(uri, { width, height });
    t.same(wrong(stamps, frames), [], `ffmpeg, ${height} lines`);
    t.equal(errors, '', 'not a word');
  }
  const low = rungs.find(({ height }) => height === 144);
  if (!low) return t.fail('there is no rung of 144 lines');
  if (!noGstreamer) t.same(wrong((await gstreamerStamps(low.uri, low)).stamps, frames), [], 'GStreamer');
  if (!noVlc) {
    const { stamps, said } = await vlcStamps(low.uri, { ...low, pictures: 240 });
    // VLC shows a recording from its first picture or from the one after it.
    const first = stamps[0] ?? 99;
    t.ok(first < 5 && stamps.length >= 230, `VLC: ${stamps.length} from ${first} on ${said.slice(-200)}`);
    t.same(stamps.filter((stamp, index) => stamp !== (first + index) % 240).slice(0, 5), [], 'VLC, in order');
  }
});

t.test('an original of HEVC has rungs of H.264 for those who do not know it', async (t) => {
  const hevc = await looped(24, ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'keyint=60:min-keyint=60:scenecut=0:open-gop=0:log-level=error', '-c:a', 'copy']);
  const { base } = await stage.ready(hevc);
  const rungs = await rungsOf(`${base}/master.m3u8`);
  t.comment(rungs.map(({ height, codecs }) => `${height} ${codecs}`).join(', '));
  t.equal(rungs.filter(({ codecs }) => codecs.startsWith('hvc1')).length, 1, 'the original stays');
  const plain = rungs.filter(({ codecs }) => codecs.startsWith('avc1'));
  for (const { uri, width, height } of rungs) t.same(wrong((await decodeStamps(uri, { width, height })).stamps, 24 * 30), [], `${height} lines`);
  const knowsHevc = await browser.newPage().then((page) => page.evaluate('MediaSource.isTypeSupported(\'video/mp4; codecs="hvc1.1.6.L63.90"\')'));
  // The cheapest first, as players list them.
  const seen = (knowsHevc ? rungs : plain).map(({ height }) => height).toReversed();
  for (const { name, player, file, keepBuffer } of [switchers[0], switchers[2]].flatMap((one) => one ?? [])) {
    const { faults, errors, stalls } = await switchRungs(browser, pages, { base, heights: seen }, { name, player, file, keepBuffer, switches: 3 });
    t.same([faults, errors, stalls], [[], [], []], `${name}: ${seen.join(' ')}`);
  }
});

/** Mono, 48 kHz, every sample at the moment that it is said to be heard at. */
const heard = async (url: string): Promise<Float32Array> => {
  const { stdout } = await mustFfmpeg(['-copyts', '-i', url, '-map', '0:a:0', '-af', 'aresample=async=1:min_hard_comp=0.0005:max_soft_comp=0:first_pts=0,pan=mono|c0=c0', '-f', 'f32le', 'pipe:1']);
  return new Float32Array(stdout.buffer, stdout.byteOffset, stdout.length >> 2);
};

t.test('sound of more than anybody hears is made anew, in step with what it was', async (t) => {
  const noise = 'anoisesrc=color=brown:seed=11:sample_rate=48000:duration=24:amplitude=0.5[low];anoisesrc=color=white:seed=3:sample_rate=48000:duration=24:amplitude=0.4[busy];[low][busy]amerge=inputs=2,aformat=channel_layouts=stereo';
  const loud = await encoded('mp4', ['-i', await looped(24), '-f', 'lavfi', '-i', noise, '-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-c:a', 'aac', '-b:a', '500k']);
  const { base } = await stage.ready(loud, { ladder: 'small' });
  const [was, is] = [await heard(loud), await heard(`${base}/master.m3u8`)];
  const master = await (await fetch(`${base}/master.m3u8`)).text();
  t.match(master, /TYPE=AUDIO/);
  t.notMatch(master, /URI="a0\//, 'what was uploaded is not listed any more');
  let places = 0;
  for (let at = 4_800; at + 9_600 < Math.min(was.length, is.length); at += 96_000) {
    const { offset, alike } = offsetBetween(was, is, at, 4_800, 240);
    places += 1;
    t.ok(Math.abs(offset) <= 48 && alike > 0.9, `at ${(at / 48_000).toFixed(1)} s: ${offset} samples apart, ${alike.toFixed(3)} alike`);
  }
  t.ok(places > 8);
});
