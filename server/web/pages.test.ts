import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { WebPages } from './pages.ts';

const folder = mkdtempSync(join(tmpdir(), 'pages-'));
writeFileSync(join(folder, 'index.html'), '<!doctype html>');
const server = createServer((request, response) => WebPages.load(folder)?.handle(request, response)).listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
t.teardown(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

t.test('only the player that is made for it may be framed', async (t) => {
  const framed = async (path: string) => (await fetch(base + path)).headers.get('content-security-policy')?.match(/frame-ancestors ([^;]+)/)?.[1];
  t.equal(await framed('/embed/abcdefgh12345678'), '*');
  for (const path of ['/', '/studio', '/embed/', '/embed/x/../../studio', '/embed/abcdefgh12345678/studio', '/embed//admin']) t.equal(await framed(path), "'none'", path);
});

t.test('a page that does not exist is a 404 with the app, and what is no reading is a problem', async (t) => {
  t.equal((await fetch(`${base}/nothing`)).status, 404);
  const refused = await fetch(base, { method: 'POST' });
  t.equal(refused.status, 405);
  t.equal(refused.headers.get('allow'), 'GET, HEAD');
  t.match(await refused.json(), { code: 'method-not-allowed', status: 405 });
});

t.test('no page says to others where its visitor comes from, and none prints what stands in its address', async (t) => {
  for (const path of ['/', '/@mill', '/watch/abcdefgh12345678?grant=SECRET', '/embed/abcdefgh12345678?grant=SECRET', '/nothing?grant=SECRET']) {
    const page = await fetch(base + path);
    t.equal(page.headers.get('referrer-policy'), 'no-referrer', path);
    t.notMatch([await page.text(), ...[...page.headers].flat()].join(' '), /SECRET/);
  }
  t.equal((await fetch(base, { method: 'POST' })).headers.get('referrer-policy'), 'no-referrer');
});
