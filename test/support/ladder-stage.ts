/**
 * A whole server whose channels have a ladder of two small rungs, made by the real ffmpeg: sizes that two slow cores carry
 * beside a browser. The pictures of what is sent carry their numbers, and so do those of every rung.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';
import type { ClipOptions } from './clips.ts';
import { signalEncoders } from './ladder-programs.ts';
import { asLiveMade, liveVideo } from './ladder-show.ts';
import { LiveSender } from './live-sender.ts';
import { playlist, until } from './playlists.ts';
import { startServer, type Channel, type MillraceServer, type ServerOptions } from './server.ts';
import { flvClip } from './show-sender.ts';

/** What streamers send here: sound, B-frames, a number in each picture. */
export const sent = { width: 640, height: 360, bframes: 2, kbps: 600 } as const satisfies ClipOptions;
/** Of all that there is to choose from, the source first. */
export const heights = [360, 240, 144] as const;

const small = `rungs:
  - { height: 240, bitrate: 120k, preset: ultrafast }
  - { height: 144, bitrate: 60k, preset: ultrafast }
`;

export type LadderNow = { readonly videoId: string; readonly encoding: readonly number[]; readonly shed: readonly number[]; readonly restarts: number };

export class LadderStage {
  readonly server: MillraceServer;
  readonly token: string;

  private constructor(server: MillraceServer, token: string) {
    this.server = server;
    this.token = token;
  }

  static async open(t: Test, options: ServerOptions = {}): Promise<LadderStage> {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-ladders-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(path.join(folder, 'small.yaml'), small);
    const server = await startServer({ ...options, env: { MILLRACE_ENCODE_LADDERS: folder, MILLRACE_ENCODE_CORES: '4', ...asLiveMade, ...options.env } });
    t.teardown(() => server.stop());
    const token = await server.login();
    // What it costs is measured behind the start, and before that there is nobody who encodes.
    const offers = (): Promise<{ items: { cores: number | null }[] }> => server.must('GET', 'ladders', undefined, token);
    await until(offers, ({ items }) => items.every(({ cores }) => cores !== null), 100_000);
    return new LadderStage(server, token);
  }

  channel(name: string, settings: object = {}): Promise<Channel> {
    return this.server.createChannel(this.token, { name, ladder: 'small', ...settings });
  }

  /** It goes on until it is ended. */
  async send(t: Test, channel: Channel, clip: ClipOptions = sent): Promise<LiveSender> {
    const sender = await LiveSender.connect(this.server, channel, await flvClip(clip));
    t.teardown(() => sender.vanish());
    return sender;
  }

  /** It has been live for so many segments on every rung. */
  async aired(channel: Channel, segments: number): Promise<{ readonly base: string; readonly heights: readonly number[]; readonly video: string }> {
    await this.server.live(channel);
    const video = await liveVideo(this.server, channel);
    for (const track of ['v0', 'v1', 'v2', 'a0']) {
      await until(async () => (await playlist(this.server, video, track)).segments.length, (length) => length >= segments, 60_000);
    }
    return { base: `${this.server.origin}/play/-/${video}`, heights: heights.toReversed(), video };
  }

  /** No encoder lives for so long: what there is of the rungs meanwhile are holes. */
  async withoutEncoders(ms: number): Promise<void> {
    for (const until = performance.now() + ms; performance.now() < until; await new Promise((resolve) => setTimeout(resolve, 50))) await signalEncoders(this.server.child.pid, 'SIGKILL');
  }

  /** What is encoded now. */
  async encoded(): Promise<readonly LadderNow[]> {
    const { shows } = await this.server.must<{ shows: LadderNow[] }>('GET', 'ladders', undefined, this.token);
    return shows;
  }
}
