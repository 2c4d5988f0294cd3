/** OBS, which most streamers have: what it sends, how it stops, what it says of a wrong key, and how it comes back. */
import t, { type Test } from 'tap';
import { clip } from './support/clips.ts';
import { decodeStamps, mustFfmpeg, probe } from './support/ffmpeg.ts';
import { noObs, Obs, Screen } from './support/obs.ts';
import type { ObsTarget } from './support/obs-settings.ts';
import { playlist, until, type Playlist } from './support/playlists.ts';
import { relayTo } from './support/relay.ts';
import { startServer, type Channel, type MillraceServer } from './support/server.ts';

type Seen = Channel & { readonly live: { readonly videoId: string } | null };
type Health = { readonly session: object | null; readonly video: { readonly fps: number | null } | null; readonly srt: { readonly packets: number } | null; readonly broadcast: { readonly sessions: number } | null };

const skip = noObs();
const source = skip === false ? await clip({ bframes: 2, width: 320, height: 180, kbps: 300 }) : null;

/** A channel to send to with OBS, and what viewers and the streamer get of it. */
class Stage {
  readonly server: MillraceServer;
  readonly channel: Channel;
  readonly #token: string;

  private constructor(server: MillraceServer, channel: Channel, token: string) {
    this.server = server;
    this.channel = channel;
    this.#token = token;
  }
  static async open(server: MillraceServer, settings: { name: string; srtPassphrase?: string }): Promise<Stage> {
    const token = await server.login();
    return new Stage(server, await server.createChannel(token, settings), token);
  }

  /** What the studio says, with the port of this server. */
  get rtmp(): ObsTarget {
    return { server: `rtmp://127.0.0.1:${this.server.ports.rtmp}/live`, key: this.channel.ingest.rtmp.key };
  }
  get srt(): ObsTarget {
    return { server: `${this.server.srtUrl(this.channel)}&latency=1200000`, key: '' };
  }

  async video(): Promise<string> {
    const { live } = await until(() => this.server.must<Seen>('GET', `channels/${this.channel.id}`), (seen) => seen.live !== null, 30_000);
    return live?.videoId ?? '';
  }
  health(fits: (health: Health) => boolean): Promise<Health> {
    return until(() => this.server.must<Health>('GET', `channels/${this.channel.id}/ingest`, undefined, this.#token), fits, 30_000);
  }
  attempts(): Promise<{ items: object[] }> {
    return this.server.must('GET', 'attempts', undefined, this.#token);
  }
  async report(video: string): Promise<object> {
    return (await this.server.must<{ ingest: object }>('GET', `videos/${video}/ingest`, undefined, this.#token)).ingest;
  }
  until(video: string, fits: (list: Playlist) => boolean): Promise<Playlist> {
    return until(() => playlist(this.server, video, 'v0'), fits, 30_000);
  }
  /** OBS has said that it goes: `obs` is asked what it said when nothing comes of it. */
  async ends(video: string, obs: Obs): Promise<Playlist> {
    return this.until(video, ({ ended }) => ended).catch((error: unknown) => {
      throw new Error(`${obs.log.slice(-8_192)}\n${this.server.log.slice(-4_096)}`, { cause: error });
    });
  }

  /** OBS repeats a picture when it is late with the next, and leaves none out: the times are those of a clock all the same. */
  async judge(t: Test, video: string, size: { width: number; height: number; frames: number }): Promise<void> {
    const url = `${this.server.origin}/play/-/${video}/master.m3u8`;
    const { stamps, errors } = await decodeStamps(url, size);
    t.equal(errors, '', 'it decodes without an error');
    t.notOk(stamps.includes(null), 'each picture is one of those that OBS was given');
    const steps = stamps.slice(1).map((stamp, index) => ((stamp ?? 0) - (stamps[index] ?? 0) + size.frames) % size.frames);
    t.same(steps.filter((step) => step > size.frames - 30), [], 'none comes before one that it follows');
    t.ok(new Set(stamps).size > 10, 'and they move');
    const { packets = [] } = await probe(url, '-show_packets', '-select_streams', 'v');
    const pts = packets.map((packet) => packet.pts).sort((a, b) => a - b);
    const gaps = pts.slice(1).map((at, index) => at - (pts[index] ?? 0));
    // Cut off behind a picture that is decoded early, the last ones that are shown have a hole.
    t.same(gaps.slice(0, -4).filter((gap) => Math.abs(gap - 3000) > 1500), [], 'no picture is missing or doubled');
    const { stderr } = await mustFfmpeg(['-v', 'info', '-i', url, '-vn', '-af', 'volumedetect', '-f', 'null', '-']);
    t.ok(Number(/max_volume: (-?[\d.]+) dB/.exec(stderr)?.[1]) > -20, 'what the clip says is to be heard');
  }
}

t.test('OBS', { skip: source === null && skip }, async (t) => {
  if (!source) return;
  const server = await startServer();
  t.teardown(() => server.stop());
  const screen = await Screen.start();
  t.teardown(() => screen.stop());
  const start = async (target: ObsTarget): Promise<Obs> => {
    const obs = await Obs.start(screen, source, target);
    t.teardown(() => obs.kill());
    return obs;
  };
  const first = await Stage.open(server, { name: 'first' });
  const obs = await start({ ...first.rtmp, key: 'wrongwrongwrongwrong' });

  await t.test('a wrong key: it stops trying, and its log has our words', async (t) => {
    await obs.press('StartStream', 'STOPPED');
    t.match(obs.log, /NetStream\.Publish\.BadName \(This stream key is not known here\. Copy it again/);
    t.match(await first.attempts(), { items: [{ reason: 'unknown-key', protocol: 'rtmp', count: 1 }] });
  });

  await t.test('with the right key every picture comes, the studio knows it by its name, and its stop ends the show', async (t) => {
    await obs.setTarget(first.rtmp);
    await obs.press('StartStream', 'STARTED');
    const video = await first.video();
    await first.until(video, ({ segments }) => segments.length >= 2);
    const health = await first.health((seen) => typeof seen.video?.fps === 'number');
    t.match(health, {
      session: { protocol: 'rtmp', software: /^obs-output module \(libobs version / },
      video: { codec: 'h264', profile: 'High', width: 320, height: 180, reordered: true },
      audio: { codec: 'aac', sampleRate: 48_000, channels: 2 },
    });
    await obs.press('StopStream', 'STOPPED');
    const stopped = performance.now();
    await first.ends(video, obs);
    const after = performance.now() - stopped;
    t.ok(after < 1_000, `an announced end is an ENDLIST within a second: ${Math.round(after)} ms`);
    t.match(await first.report(video), { reconnects: 0, jumps: 0, sessions: [{ end: 'announced', software: /libobs/ }] });
    await first.judge(t, video, source);
  });

  await t.test('over SRT, with a passphrase, from the address that the studio shows', async (t) => {
    const stage = await Stage.open(server, { name: 'srt', srtPassphrase: 'correct-horse-battery' });
    await obs.setTarget(stage.srt);
    await obs.press('StartStream', 'STARTED');
    const video = await stage.video();
    await stage.until(video, ({ segments }) => segments.length >= 2);
    t.match(await stage.health(({ srt }) => (srt?.packets ?? 0) > 0), { session: { protocol: 'srt' }, video: { codec: 'h264' }, audio: { codec: 'aac' }, srt: { encrypted: true, undecryptable: 0 } });
    await obs.press('StopStream', 'STOPPED');
    await stage.ends(video, obs);
    t.match(await stage.report(video), { jumps: 0, sessions: [{ protocol: 'srt', end: 'announced', srt: { dropped: 0 } }] });
    await stage.judge(t, video, source);
  });

  await t.test('killed and started again, and with a line that breaks under it, it is one show', async (t) => {
    await obs.kill();
    const stage = await Stage.open(server, { name: 'again' });
    const killed = await start(stage.rtmp);
    await killed.press('StartStream', 'STARTED');
    const video = await stage.video();
    await stage.until(video, ({ segments }) => segments.length >= 1);
    await killed.kill();
    const line = await relayTo(server.ports.rtmp);
    t.teardown(() => line.close());
    const back = await start({ ...stage.rtmp, server: `rtmp://127.0.0.1:${line.port}/live` });
    await back.press('StartStream', 'STARTED');
    // A second of pictures in a session: what it brings is in the show.
    const goesOn = (sessions: number): Promise<Health> => stage.health(({ broadcast, video }) => broadcast?.sessions === sessions && typeof video?.fps === 'number');
    await goesOn(2);
    line.cut();
    await back.becomes('RECONNECTED');
    await goesOn(3);
    t.equal(await stage.video(), video);
    await back.press('StopStream', 'STOPPED');
    const whole = await stage.ends(video, back);
    t.equal(whole.segments.filter(({ discontinuity }) => discontinuity).length, 2, 'each return is one discontinuity');
    t.match(await stage.report(video), { sessionCount: 3, reconnects: 2, sessions: [{ end: /^(lost|evicted)$/ }, { end: /^(lost|evicted)$/ }, { end: 'announced' }] });
    t.equal((await mustFfmpeg(['-v', 'error', '-i', `${server.origin}/play/-/${video}/master.m3u8`, '-f', 'null', '-'])).stderr, '');
  });
});
