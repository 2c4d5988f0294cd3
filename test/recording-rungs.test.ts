/** A show of which live could make no rungs, and its recording, which has them soon after, in a whole server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { findPrograms } from '../packager/encode/programs.ts';
import { coresHere } from '../server/ladders/cores.ts';
import { machineOf } from '../server/ladders/measure.ts';
import { playlist, until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

type Listed = { readonly height: number; readonly track: string };
type Video = { readonly id: string; readonly state: string };

/** No machine that there is needs so much: nothing of a ladder can be carried. */
const dear = { decode: 9, scale: 9, encode: { veryfast: 9 } };

t.test('what live could not carry is there when the show has ended, segment for segment', async (t) => {
  const data = mkdtempSync(path.join(tmpdir(), 'millrace-recording-'));
  t.teardown(() => rmSync(data, { recursive: true, force: true }));
  const { version } = await findPrograms();
  writeFileSync(path.join(data, 'machine.json'), JSON.stringify({ machine: machineOf(coresHere(), version), cost: dear }));
  const server = await startServer({ data });
  t.teardown(() => server.stop());
  const token = await server.login();
  const measured = async (): Promise<boolean> => (await server.must<{ items: { cores: number | null }[] }>('GET', 'ladders', undefined, token)).items.every(({ cores }) => cores !== null);
  await until(measured, (is) => is);

  const channel = await server.createChannel(token, { name: 'show', ladder: 'light' });
  const sender = await ShowSender.connect(server, channel, await flvClip());
  await sender.send();
  const listed = async (address: string): Promise<Listed[]> => {
    const text = await (await fetch(address)).text();
    return [...text.matchAll(/EXT-X-STREAM-INF.*RESOLUTION=\d+x(\d+).*\n\S*?([a-z0-9]+)\/\w+\.m3u8/g)].map(([, height, track = '']) => ({ height: Number(height), track }));
  };
  const address = await server.live(channel);
  const live = await until(() => listed(address), ({ length }) => length > 0);
  t.same(live.map(({ height }) => height), [360], 'what is sent plays alone');
  const { items } = await server.must<{ items: Video[] }>('GET', 'videos?mine=true', undefined, token);
  const { id = '' } = items[0] ?? {};
  await sender.end();

  const { hls } = await until(async () => server.must<{ hls: string; live: boolean }>('POST', `videos/${id}/playback`, {}), ({ live }) => !live);
  const states = new Set<string>();
  const now = async (): Promise<Listed[]> => {
    states.add((await server.must<Video>('GET', `videos/${id}`, undefined, token)).state);
    return listed(hls);
  };
  const all = await until(now, ({ length }) => length > 1, 90_000);
  t.same(all.map(({ height }) => height).toSorted((a, b) => b - a), [360, 240]);
  t.same([...states], ['ready'], 'and it is whole all the while for whoever watches');
  const durations = await Promise.all(all.map(async ({ track }) => (await playlist(server, id, track)).segments.map(({ duration }) => duration)));
  for (const some of durations) t.same(some, durations[0]);
});
