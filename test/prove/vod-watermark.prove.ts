/** An operator's pipeline with a watermark, whole: every rung carries the image, and what has none comes off the list. */
import t from 'tap';
import { mustFfmpeg } from '../support/ffmpeg.ts';
import { encoded } from '../support/encoded.ts';
import { RungStage } from '../support/vod-rungs.ts';

t.setTimeout(200_000);

t.test('the pipeline of conf/pipelines/watermark.yaml', async (t) => {
  const stage = await RungStage.open(t, { pictures: true, env: { MILLRACE_ENCODE_PIPELINE: 'watermark' } });
  const film = await encoded('mp4', ['-f', 'lavfi', '-i', 'color=gray:size=640x360:rate=25:duration=6', '-c:v', 'libx264', '-g', '50', '-preset', 'ultrafast']);
  const { base } = await stage.ready(film);
  const master = await (await fetch(`${base}/master.m3u8`)).text();
  const rungs = [...master.matchAll(/#EXT-X-STREAM-INF:[^\n]*RESOLUTION=(\d+)x(\d+)[^\n]*\n([^\n#]+)/g)].map(([, width, height, uri]) => ({ width: Number(width), height: Number(height), uri: `${base}/${uri}` }));
  t.same(rungs.map(({ height }) => height).toSorted((a, b) => a - b), [144, 240, 360]);
  t.notMatch(master, /^v0\//m, 'the original is not listed any more');
  for (const { width, height, uri } of rungs) {
    const { stdout } = await mustFfmpeg(['-i', uri, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1']);
    const size = width * height;
    t.equal(stdout.length / size, 150, `${height}: every picture`);
    for (const index of [0, 75, 149]) {
      const rows = Array.from({ length: Math.floor(height / 2) }, (_, y) => stdout.subarray(index * size + y * width, index * size + (y + 1) * width));
      const differs = (from: number, to: number): number => rows.reduce((sum, row) => sum + [...row.subarray(from, to)].filter((light) => Math.abs(light - 126) > 20).length, 0);
      t.ok(differs(Math.floor(width / 2), width) > 10, `${height}: it is in the corner above on the right`);
      t.equal(differs(0, Math.floor(width / 2)), 0, `${height}: and nowhere else`);
    }
  }
});
