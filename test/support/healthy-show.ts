/** A show that is on, with somebody who watches it, while others do to the server what they should not: nothing of it may be missing. */
import type { Test } from 'tap';
import { clip } from './clips.ts';
import { decodeStamps, push } from './ffmpeg.ts';
import { LowLatencyViewer } from './ll-viewer.ts';
import { playlist, until } from './playlists.ts';
import type { Channel, MillraceServer } from './server.ts';

export type HealthyShow = {
  /** What it sends, for others to send too. */
  readonly source: Awaited<ReturnType<typeof clip>>;
  /** It still goes on; then it ends, and is looked at from its beginning. */
  unharmed(): Promise<void>;
};

export const healthyShow = async (t: Test, server: MillraceServer, token: string): Promise<HealthyShow> => {
  const source = await clip({ bframes: 2, width: 320, height: 180, kbps: 300 });
  const channel = await server.createChannel(token, { name: 'good' });
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await server.live(channel);
  const { live } = await server.must<Channel & { live: { videoId: string } }>('GET', `channels/${channel.id}`);
  const viewer = new LowLatencyViewer(`${server.origin}/play/-/${live.videoId}`);
  viewer.start();
  return {
    source,
    unharmed: async () => {
      t.ok(server.isRunning);
      const parts = viewer.announced.size;
      // How soon is a matter of the machine: a sender that gets no processor stands still, and everybody waits with it.
      const goesOn = until(async () => viewer.announced.size, (size) => size > parts + 4, 60_000);
      await goesOn.catch((error: unknown) => t.fail(`${String(error)}: ${JSON.stringify(viewer.faults)}`));
      if (viewer.heldTooLong > 0) t.comment(`the sender stood still for seconds, ${viewer.heldTooLong} times`);
      await viewer.stop();
      t.same(viewer.faults, []);
      await sender.stop();
      const whole = await until(() => playlist(server, live.videoId, 'v0'), ({ ended }) => ended);
      t.notOk(whole.segments.some(({ discontinuity }) => discontinuity));
      const { stamps, errors } = await decodeStamps(`${server.origin}/play/-/${live.videoId}/master.m3u8`, source);
      t.equal(errors, '');
      t.ok(stamps.length > 4, `${stamps.length} pictures`);
      // Cut off behind a picture that is decoded early, the last ones that are shown have a hole.
      t.same(stamps.slice(0, -4).filter((stamp, index) => stamp !== index % source.frames).slice(0, 5), [], 'every picture once, in order');
      t.notMatch(server.log, /"level":(50|60)/, 'nothing of it was our fault');
    },
  };
};
