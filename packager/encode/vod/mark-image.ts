/** An operator's image, decoded behind walls and written anew: what is laid on pictures is a PNG that we made, of a size that no chunk has to fear. */
import { calm, mostPixels } from '../hostile.ts';
import { EncodeError } from '../runs.ts';
import type { JobPlace, Sandbox } from '../sandbox.ts';
import { formOf, pictureReaders, type PictureForm } from '../stills/poster.ts';

/** Of the longer side: half of a picture of 4096. */
const longest = 2048;
export const mostImageBytes = 10 * 2 ** 20;
const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 20, fileBytes: 0 };
/** What a machine with too much to do takes for a second of work, and more. */
const wallMs = 60_000;
const mostPngBytes = 4 * longest * longest;

const command = (form: PictureForm): string[] => {
  const { demuxer, decoder } = pictureReaders[form];
  const share = `min(1,${longest}/max(iw,ih))`;
  const size = `w='max(1,round(iw*${share}))':h='max(1,round(ih*${share}))'`;
  return [
    ...[...calm, '-nostdin', '-nostats', '-threads', '1'],
    ...['-f', demuxer, '-format_whitelist', demuxer, '-protocol_whitelist', 'pipe', '-codec_whitelist', decoder],
    ...['-max_streams', '1', '-max_pixels', String(mostPixels), '-i', 'pipe:0', '-map', '0:v:0', '-frames:v', '1', '-filter_threads', '1'],
    // By how much of them is seen: what is clear has no colour.
    ...['-vf', `format=gbrap,premultiply=inplace=1,scale=${size}:flags=area,unpremultiply=inplace=1,setsar=1,format=rgba`],
    ...['-c:v', 'png', '-threads:v', '1', '-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'image2pipe', 'pipe:1'],
  ];
};

export type MarkBench = { readonly sandbox: Pick<Sandbox, 'feed'>; readonly place: JobPlace; readonly signal: AbortSignal };

/** Resolves with a PNG; rejects with an EncodeError. */
export const makeMark = async ({ sandbox, place, signal }: MarkBench, image: Buffer): Promise<Buffer> => {
  const form = image.length <= mostImageBytes ? formOf(image) : null;
  if (!form) throw unreadable('it is no PNG, JPEG or WebP, or too large');
  const ran = await sandbox.feed({ program: 'ffmpeg', args: command(form), place, limits, wallMs, signal, input: image, outputBytes: mostPngBytes });
  if (ran.ended === 'unwanted') throw new EncodeError('unwanted', 'It is not wanted any more.', true);
  if (ran.ended === 'time') throw new EncodeError('took-too-long', 'The image of the watermark took longer than any picture should.', true);
  if (ran.ended === 'itself' && ran.code === 0 && formOf(ran.output) === 'png') return ran.output;
  throw unreadable(`${ran.ended} ${ran.killedBy ?? ran.code}: ${ran.complaints.trim().split('\n').slice(-2).join(' | ').slice(-400)}`);
};

const unreadable = (why: string): EncodeError => new EncodeError('encode-failed', 'The image of the watermark cannot be read. Whoever runs this server can mend it.', false, { cause: new Error(why) });
