/** A picture that somebody sent as a poster: told by its first bytes, decoded behind walls, and written anew by us. Nothing of the file itself is ever served. */
import { calm, mostPixels } from '../hostile.ts';
import { readJpeg, type Jpeg } from '../jpeg.ts';
import type { JobPlace, Sandbox } from '../sandbox.ts';

export type PictureForm = 'jpeg' | 'png' | 'webp';

/** Null: none that is taken. */
export const formOf = (bytes: Buffer): PictureForm | null => {
  if (bytes.length > 3 && bytes.readUIntBE(0, 3) === 0xffd8ff) return 'jpeg';
  if (bytes.length > 8 && bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) return 'png';
  return bytes.length > 12 && bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP' ? 'webp' : null;
};

/** How each is read. */
export const pictureReaders: Readonly<Record<PictureForm, { readonly demuxer: string; readonly decoder: string }>> = {
  jpeg: { demuxer: 'jpeg_pipe', decoder: 'mjpeg' },
  png: { demuxer: 'png_pipe', decoder: 'png' },
  webp: { demuxer: 'webp_pipe', decoder: 'webp' },
};

/** On its longer side. */
const longest = 1280;
const quality = 3;
const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 10, fileBytes: 0 };
/** What a machine with too much to do takes for a second of work, and more. */
const wallMs = 30_000;
const mostBytes = 4 * 2 ** 20;

const posterCommand = (form: PictureForm): string[] => {
  const { demuxer, decoder } = pictureReaders[form];
  const share = `min(1,${longest}/max(iw,ih))`;
  return [
    ...[...calm, '-nostdin', '-nostats', '-threads', '1'],
    ...['-f', demuxer, '-format_whitelist', demuxer, '-protocol_whitelist', 'pipe', '-codec_whitelist', decoder],
    ...['-max_streams', '1', '-max_pixels', String(mostPixels)],
    ...['-i', 'pipe:0', '-map', '0:v:0', '-frames:v', '1', '-filter_threads', '1'],
    ...['-vf', `scale=w='max(2,2*round(iw*${share}/2))':h='max(2,2*round(ih*${share}/2))':flags=area:out_color_matrix=bt601:out_range=pc,format=yuvj420p,setsar=1`],
    ...['-c:v', 'mjpeg', '-threads:v', '1', '-q:v', String(quality), '-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'mjpeg', 'pipe:1'],
  ];
};

export type PosterTaken =
  | { readonly kind: 'taken'; readonly jpeg: Jpeg }
  /** It cannot be decoded; it has more pixels than are taken; it took longer than any picture does. */
  | { readonly kind: 'damaged' | 'too-large' | 'too-slow' };

export const takePoster = async ({ sandbox, place, signal }: { readonly sandbox: Pick<Sandbox, 'feed'>; readonly place: JobPlace; readonly signal: AbortSignal }, form: PictureForm, input: Buffer): Promise<PosterTaken> => {
  const ran = await sandbox.feed({ program: 'ffmpeg', args: posterCommand(form), place, limits, wallMs, signal, input, outputBytes: mostBytes });
  const jpeg = ran.ended === 'itself' && ran.code === 0 ? readJpeg(ran.output) : null;
  if (jpeg && Math.max(jpeg.width, jpeg.height) <= longest) return { kind: 'taken', jpeg };
  if (ran.ended === 'time' || ran.ended === 'unwanted') return { kind: 'too-slow' };
  return { kind: /Picture size \d+x\d+ (is invalid|exceeds)|max_pixels|Image too large/i.test(ran.complaints) ? 'too-large' : 'damaged' };
};
