/** What an encoder should be set to, and the ffmpeg command that sends a file as OBS would. */
export type Recommendation = { readonly picture: string; readonly bitrate: number };

/** H.264 bitrates in kbit/s that hold up for moving pictures without flooding a home line. */
export const recommendations: readonly Recommendation[] = [
  { picture: '1080p60', bitrate: 6000 },
  { picture: '1080p30', bitrate: 4500 },
  { picture: '720p60', bitrate: 4500 },
  { picture: '720p30', bitrate: 3000 },
];

/** In single quotes nothing is special to a POSIX shell but the quote itself. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const ffmpegCommand = (server: string, key: string): string =>
  [
    'ffmpeg -re -i input.mp4',
    '-c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p',
    '-b:v 4500k -maxrate 4500k -bufsize 9000k -bf 2',
    // A key frame every 2 seconds whatever the frame rate is, and none in between.
    "-force_key_frames 'expr:gte(t,n_forced*2)' -sc_threshold 0",
    '-c:a aac -b:a 160k -ar 48000 -ac 2',
    `-f flv ${quoted(`${server}/${key}`)}`,
  ].join(' \\\n  ');
