/** Senders of HEVC, AV1, VP9 and Opus over Enhanced RTMP: clips of these, and FFmpeg 8.1 that pushes them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { clip } from './clips.ts';
import { encoded } from './encoded.ts';

const codecs = {
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=60:min-keyint=60:scenecut=0:open-gop=0:bframes=2:b-adapt=0', '-tag:v', 'hvc1'],
  av1: ['-c:v', 'libsvtav1', '-preset', '12', '-g', '60', '-svtav1-params', 'scd=0'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '60', '-keyint_min', '60', '-b:v', '500k', '-row-mt', '0'],
} as const;
const sounds = { aac: ['-c:a', 'copy'], opus: ['-c:a', 'libopus', '-b:a', '64k', '-ar', '48000', '-ac', '2'] } as const;

export type EnhancedPicture = keyof typeof codecs;
export type EnhancedSound = keyof typeof sounds;
export const enhancedFrames = { frames: 240, fps: 30, width: 320, height: 180 } as const;

/** Eight seconds of stamped pictures. */
export const enhancedClip = async (picture: EnhancedPicture, sound: EnhancedSound): Promise<string> => {
  const { width, height } = enhancedFrames;
  const { file } = await clip({ bframes: 2, width, height, kbps: 300 });
  return encoded('mp4', ['-i', file, ...codecs[picture], '-threads', '1', '-pix_fmt', 'yuv420p', ...sounds[sound]]);
};

/** What of itself FFmpeg says in `connect`: FourCCs of Enhanced RTMP. */
const fourCcs: Readonly<Record<EnhancedPicture, string>> = { hevc: 'hvc1', av1: 'av01', vp9: 'vp09' };

export type EnhancedPush = {
  readonly kill: () => void;
  /** Ends it with the group of pictures that it is in; how many packets it has sent, and what it complained about. */
  stop(): Promise<{ readonly video: number; readonly audio: number; readonly errors: string }>;
};

/** The clip as fast as it plays, again and again. */
export const pushEnhanced = (picture: EnhancedPicture, file: string, url: string): EnhancedPush => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'enhanced-child.ts'), file, url, fourCcs[picture]], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk));
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk).slice(-16_384)));
  const closed = once(child, 'close');
  return {
    kill: () => child.kill('SIGKILL'),
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
      if (said === '') throw new Error(`the sender of ${picture} has not come to its end: ${errors}`);
      return { ...(JSON.parse(said) as { video: number; audio: number }), errors };
    },
  };
};
