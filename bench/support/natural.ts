/**
 * Pictures that cost what those of people cost, made here: a third each of
 *
 *     a landscape   noise of four sizes, one on the other as in nature (coarse is strong, fine is weak), that a camera wanders over; grain
 *     mandelbrot    ffmpeg's zoom into the set: sharp edges, slow growth; grain
 *     life          a game of life with mould, drawn soft: motion that nothing foretells
 */
import { encoded } from '../../test/support/encoded.ts';

const layers = [
  { size: '24x14', share: 1 },
  { size: '96x54', share: 0.4 },
  { size: '384x216', share: 0.22 },
  { size: '1536x864', share: 0.1 },
];

/** A still of 3072 × 1728. */
const landscape = (): Promise<string> => {
  const drawn = layers.map(({ size }, at) => {
    const strength = at === layers.length - 1 ? 0 : 64 >> at;
    const chroma = (seed: number): string => `${128 - strength / 2}+${strength}*random(${3 * at + seed})`;
    return `nullsrc=s=${size}:d=0.04,format=yuv444p,geq=lum='255*random(${3 * at + 1})':cb='${chroma(2)}':cr='${chroma(3)}',scale=3072:1728:flags=bicubic,setsar=1[l${at}]`;
  });
  const laid = layers.slice(1).map(({ share }, at) => `[${at === 0 ? 'l0' : `b${at}`}][l${at + 1}]blend=all_expr='A*${1 - share}+B*${share}'[b${at + 1}]`);
  return encoded('png', ['-filter_complex', `${[...drawn, ...laid].join(';')};[b${layers.length - 1}]format=rgb24[out]`, '-map', '[out]', '-frames:v', '1']);
};

export type Natural = {
  readonly width: number;
  readonly height: number;
  readonly rate: number;
  /** A multiple of 3. */
  readonly seconds: number;
  readonly kbps: number;
  /** Nothing but the landscape, so that every second of it is as hard as any other. */
  readonly even?: boolean;
};

/** An MP4, with a key picture every two seconds and two B-pictures. */
export const naturalClip = async ({ width, height, rate, seconds, kbps, even = false }: Natural): Promise<string> => {
  const third = even ? seconds : seconds / 3;
  const still = await landscape();
  const size = `scale=${width}:${height}:flags=bicubic`;
  const camera = `crop=2048:1152:x='512+480*sin(t/3.1)':y='288+270*sin(t/2.3)',${size}`;
  const graph = [
    `[0]${camera},noise=alls=5:allf=t,setsar=1,format=yuv420p[a]`,
    `[1]${size},noise=alls=3:allf=t,setsar=1,format=yuv420p[b]`,
    `[2]${size},format=yuv420p,gblur=2,setsar=1[c]`,
    '[a][b][c]concat=n=3[out]',
  ].slice(0, even ? 1 : 4);
  return encoded('mp4', [
    ...['-loop', '1', '-framerate', String(rate), '-t', String(third), '-i', still],
    ...['-f', 'lavfi', '-t', String(third), '-i', `mandelbrot=s=960x540:rate=${rate}:start_scale=1.2:end_pts=${30 * third}`],
    ...['-f', 'lavfi', '-t', String(third), '-i', `life=s=480x270:rate=${rate}:mold=20:ratio=0.12:random_seed=7:death_color=#303c50:life_color=#d0d8c0:stitch=1`],
    ...['-filter_complex', graph.join(';'), '-map', even ? '[a]' : '[out]', '-c:v', 'libx264', '-preset', 'veryfast', '-g', String(2 * rate), '-bf', '2'],
    ...['-b:v', `${kbps}k`, '-maxrate', `${1.25 * kbps}k`, '-bufsize', `${2 * kbps}k`, '-video_track_timescale', String(1000 * rate)],
  ]);
};
