/** A video whose rungs wait until somebody asks for it, in a whole server. */
import t from 'tap';
import { clip } from './support/clips.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { untilState, uploadFile } from './support/upload.ts';

type Task = { readonly name: string; readonly kind: string; readonly state: string };
type Tasks = { readonly tasks: readonly Task[] };

t.test('only the lowest rung is made of what nobody asks for; the others when somebody does, while it plays', async (t) => {
  const server = await startServer({ env: { MILLRACE_ENCODE_RUNGS: 'on-demand' } });
  t.teardown(() => server.stop());
  const token = await server.login();
  const { file } = await clip({ width: 854, height: 480, kbps: 800 });
  const { id } = await uploadFile(server, token, file, { ladder: 'standard' });
  t.match(await untilState(server, token, id, ['ready']), { state: 'ready' });
  const tasks = async (): Promise<readonly string[]> => (await server.must<Tasks>('GET', `videos/${id}/tasks`, undefined, token)).tasks.filter(({ kind }) => kind === 'encode').map(({ name }) => name);
  t.same(await tasks(), ['lowest']);

  const { hls } = await server.must<{ hls: string }>('POST', `videos/${id}/playback`, {});
  const heights = async (): Promise<number[]> => {
    const text = await (await fetch(hls)).text();
    return [...new Set([...text.matchAll(/RESOLUTION=\d+x(\d+)/g)].map(([, height]) => Number(height)))];
  };
  t.same((await heights()).filter((height) => height !== 360), [480, 240], 'what plays now');
  await until(heights, (now) => now.length === 3, 90_000);
  t.same(await heights(), [480, 360, 240], 'and soon after');
  t.same(await tasks(), ['lowest', 'others']);
  t.match(await server.must('GET', `videos/${id}`, undefined, token), { state: 'ready' });
});
