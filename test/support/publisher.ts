/** A live encoder whose pictures carry the wall clock: what latency is measured with, and nothing else needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { painter } from './picture.ts';
import { stampLimit } from './stamp.ts';

export type ClockPublisher = {
  /** Announced end; resolves with what ffmpeg complained about. */
  stop(): Promise<string>;
  /** Pictures that were handed to the encoder later than one frame after their time: the sender itself was uneven. */
  readonly late: () => number;
};

export type ClockPublisherOptions = { width?: number; height?: number; fps?: number; gop?: number; kbps?: number; audio?: boolean };

/**
 * Each picture is stamped with the wall clock in ms at the moment when it goes to the encoder (libx264, zerolatency,
 * as OBS without look-ahead would be set), with a tone beside it. So whatever is read back includes the encoder, its
 * pipe, the muxer and the socket.
 */
export const publishClock = (url: string, options: ClockPublisherOptions = {}): ClockPublisher => {
  const { width = 640, height = 360, fps = 30, gop = 60, kbps = 1500, audio = true } = options;
  // The sound is made on demand, as fast as pictures come: paced by itself (-re) it holds them back by 300 ms.
  const sound = audio ? ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-map', '0:v', '-map', '1:a'] : [];
  const child = spawn(
    process.env.FFMPEG_PATH || 'ffmpeg',
    [
      ...['-hide_banner', '-v', 'error', '-nostats', '-fflags', 'nobuffer', '-probesize', '32', '-analyzeduration', '0'],
      ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-framerate', String(fps), '-i', 'pipe:0'],
      ...sound,
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0'],
      ...['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-b:v', `${kbps}k`],
      ...['-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`, '-pix_fmt', 'yuv420p', '-threads', '1'],
      ...['-c:a', 'aac', '-b:a', '96k', '-ac', '2', '-flush_packets', '1', '-flvflags', 'no_duration_filesize', '-f', 'flv', url],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let errors = '';
  let stopped = false;
  let late = 0;
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-16_384)));
  child.stdin.on('error', (error) => {
    if (!stopped) errors += error.message;
  });
  const closed = once(child, 'close');

  const { paint } = painter(width, height);
  const startedAt = performance.now();
  const sendFrames = async () => {
    for (let frame = 0; !stopped && child.stdin.writable; frame++) {
      const dueIn = startedAt + (frame * 1000) / fps - performance.now();
      if (dueIn > 0) await new Promise((resolve) => setTimeout(resolve, dueIn));
      else if (-dueIn > 1000 / fps) late += 1;
      const millisecond = Math.round(performance.timeOrigin + performance.now());
      const picture = Buffer.from(paint({ stamp: millisecond % stampLimit, millisecond }));
      if (!child.stdin.write(picture)) await Promise.race([once(child.stdin, 'drain'), closed]);
    }
  };
  const sending = sendFrames();

  return {
    late: () => late,
    async stop() {
      stopped = true;
      await sending;
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await closed;
      return errors;
    },
  };
};

/** How old a stamp is, in ms, at a wall clock; stamps wrap after three days. */
export const ageOf = (stamp: number, wall: number): number => {
  const age = (((Math.round(wall) - stamp) % stampLimit) + stampLimit) % stampLimit;
  return age > stampLimit / 2 ? age - stampLimit : age;
};
