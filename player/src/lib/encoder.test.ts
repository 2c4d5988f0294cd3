import t from 'tap';
import { ffmpegCommand } from './encoder.ts';

t.test('the ffmpeg command carries address and key, quoted for a shell', async (t) => {
  const command = ffmpegCommand('rtmp://host:1935/live', `k'$(x)`);
  t.match(command, "-f flv 'rtmp://host:1935/live/k'\\''$(x)'");
  t.match(command, 'n_forced*2');
  t.match(command, '-ar 48000');
});
