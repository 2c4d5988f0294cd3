/**
 * A private film with chapters and subtitles, which changes its colour every ten seconds: what its owner sees of it when it has come,
 * cell by cell, what strangers see of it, and what is left of it when it is gone.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { encoded, run, scratch } from './support/encoded.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { startServer } from './support/server.ts';
import { untilState, uploadFile } from './support/upload.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const colours = { red: [254, 0, 0], green: [0, 128, 0], blue: [0, 0, 254] } as const;
const seconds = 10 * Object.keys(colours).length;
const inputs = Object.keys(colours).flatMap((colour) => ['-f', 'lavfi', '-i', `color=${colour}:size=640x360:rate=10:duration=10`]);
const pictures = await encoded('mp4', [...inputs, '-filter_complex', 'concat=n=3', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '20', '-x264-params', 'scenecut=0']);
const film = path.join(scratch, 'film.mp4');
const notes = { titles: path.join(scratch, 'titles.srt'), chapters: path.join(scratch, 'chapters.txt') };
writeFileSync(notes.titles, '1\n00:00:01,000 --> 00:00:05,000\n안녕\n');
writeFileSync(notes.chapters, ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=10000\ntitle=Red\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=10000\nEND=30000\ntitle=Others\n');
await mustFfmpeg(['-i', pictures, '-i', notes.titles, '-i', notes.chapters, '-f', 'lavfi', '-i', `sine=duration=${seconds}`, '-map', '0', '-map', '3:a', '-map', '1', '-map_metadata', '2', '-map_chapters', '2', '-c:v', 'copy', '-c:a', 'aac', '-c:s', 'mov_text', '-metadata:s:s:0', 'language=kor', film]);

type View = {
  readonly pictures: { readonly poster: string | null; readonly posters: readonly string[]; readonly chosen: number | string | null; readonly storyboard: string | null; readonly preview: string | null } | null;
  readonly chapters: readonly { readonly start: number; readonly end: number; readonly title: string }[];
};

const server = await startServer({ pictures: true });
t.teardown(() => server.stop());
const token = await server.login();
const get = (address: string, headers: Record<string, string> = {}): Promise<Response> => fetch(address, { headers });
const bytesOf = async (address: string): Promise<Buffer> => {
  const answer = await get(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
};
const until = async <Value>(what: string, look: () => Promise<Value | null>): Promise<Value> => {
  for (let tries = 0; tries < 900; tries += 1) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come`);
};

type Cell = { readonly from: number; readonly sheet: string; readonly x: number; readonly y: number; readonly width: number; readonly height: number };
const cellsOf = (vtt: string): Cell[] =>
  [...vtt.matchAll(/^(\d+):(\d+):(\d+)\.(\d+) --> .*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm)].map(([, h, m, s, ms, sheet = '', x, y, width, height]) => ({
    ...{ from: Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(ms) / 1000, sheet },
    ...{ x: Number(x), y: Number(y), width: Number(width), height: Number(height) },
  }));

t.test('a film has its pictures, chapters and captions soon after it has come, for those alone who may see it', async (t) => {
  const { id } = await uploadFile(server, token, film, { visibility: 'private' });
  await untilState(server, token, id, ['ready']);
  const view = (): Promise<View> => server.must<View>('GET', `videos/${id}`, undefined, token);
  const made = await until('pictures', async () => {
    const { pictures: now } = await view();
    return now?.poster && now.storyboard && now.preview ? { ...now, poster: now.poster, storyboard: now.storyboard, preview: now.preview } : null;
  });

  // Every cell shows the colour of its moment.
  const storyboard = await get(made.storyboard);
  t.equal(storyboard.headers.get('cache-control'), 'private, max-age=86400, immutable');
  const cells = cellsOf(await storyboard.text());
  t.equal(cells.length, seconds / 2);
  const sheets = new Map<string, { rgb: Buffer; width: number }>();
  for (const name of new Set(cells.map(({ sheet }) => sheet))) {
    const file = path.join(scratch, `${name.split('?')[0]}`);
    writeFileSync(file, await bytesOf(new URL(name, made.storyboard).href));
    const sizes = cells.filter(({ sheet }) => sheet === name).map(({ x, width }) => x + width);
    sheets.set(name, { rgb: await run(['-i', file, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1']), width: Math.max(...sizes) });
  }
  for (const { from, sheet, x, y, width, height } of cells) {
    const { rgb = Buffer.alloc(0), width: whole = 0 } = sheets.get(sheet) ?? {};
    const at = 3 * ((y + height / 2) * whole + x + width / 2);
    const wanted = Object.values(colours)[Math.floor(from / 10)] ?? [];
    t.ok(wanted.every((value, part) => Math.abs((rgb[at + part] ?? -99) - value) < 16), `at ${from} s: ${[...rgb.subarray(at, at + 3)].join()}`);
  }
  t.equal((await bytesOf(made.preview)).toString('latin1', 8, 12), 'WEBP');
  t.equal((await bytesOf(made.poster)).readUInt16BE(0), 0xffd8);
  t.ok(made.posters.length >= 3);

  // Strangers see nothing, by whatever address.
  const without = (address: string, grant: string): string => address.replace(/\/play\/[^/]+\//, `/play/${grant}/`);
  for (const address of [made.poster, made.storyboard, made.preview, ...made.posters, new URL(cells[0]?.sheet ?? '', made.storyboard).href]) {
    t.equal((await get(without(address, '-'))).status, 404);
    t.equal((await get(without(address, 'A'.repeat(108)))).status, 403);
  }
  t.equal((await server.api('GET', `videos/${id}`)).status, 404);

  // What was written in it.
  t.same((await until('chapters', async () => ((now) => (now.chapters.length > 0 ? now : null))(await view()))).chapters, [{ start: 0, end: 10, title: 'Red' }, { start: 10, end: seconds, title: 'Others' }]);
  await until('captions', async () => ((now) => (now.items.some(({ language }) => language === 'ko') ? now : null))(await server.must<{ items: { language: string }[] }>('GET', `videos/${id}/captions`, undefined, token)));

  // A poster of its own, then another one, and then none.
  const own = await readFile(await encoded('png', ['-f', 'lavfi', '-i', 'color=yellow:size=1600x900', '-frames:v', '1']));
  const put = (body: Buffer): Promise<Response> => fetch(`${server.origin}/api/v1/videos/${id}/poster`, { method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': 'image/png' }, body: new Uint8Array(body) });
  const first = ((await (await put(own)).json()) as View).pictures;
  t.match(first, { chosen: 'own', poster: /poster\.jpg\?v=/ });
  t.not(first?.poster, made.poster);
  t.equal((await bytesOf(first?.poster ?? '')).readUInt16BE(0), 0xffd8, 'it is no PNG any more');
  t.equal((await put(Buffer.from('89504e470d0a1a0a00', 'hex'))).status, 422);
  t.match(await server.must<View>('DELETE', `videos/${id}/poster`, undefined, token), { pictures: { poster: made.poster } });

  // What is cut away is in no picture, and others are made.
  const trimmed = await server.must<View>('PATCH', `videos/${id}`, { trim: { in: 20 } }, token);
  t.match(trimmed, { pictures: null, chapters: [{ start: 0, end: 10, title: 'Others' }] });
  t.equal((await get(made.storyboard)).status, 404);
  const anew = await until('another storyboard', async () => (await view()).pictures?.storyboard ?? null);
  t.equal(cellsOf((await bytesOf(anew)).toString()).length, 5);

  const folder = path.join(server.data, 'videos', id);
  await access(folder);
  t.match(await server.api('DELETE', `videos/${id}`, undefined, token), { status: 204 });
  await until('its folder to go', () => access(folder).then(() => null, () => true));
  t.not((await get(anew)).status, 200);
});
