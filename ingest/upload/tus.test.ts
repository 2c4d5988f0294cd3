import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { crc32c } from './crc32c.ts';
import { patchOf, tus, UploadStage } from './test-server.ts';

const MiB = 2 ** 20;

t.test('a file in several pieces; HEAD says where to go on; the last answer comes when all of it is safe and known', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(3 * MiB + 17);
  const { at, path } = await stage.upload('aa', bytes.length);
  const first = await stage.head(at);
  t.match(first, { status: 200, headers: { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'upload-length': String(bytes.length), 'cache-control': 'no-store', 'access-control-allow-origin': '*' } });
  t.ok(Date.parse(first.headers['upload-expires'] as string) > Date.now());
  for (const [from, to] of [[0, 1], [1, MiB], [MiB, MiB], [MiB, bytes.length]] as const) {
    const answer = await stage.patch(at, from, bytes.subarray(from, to));
    t.match(answer, { status: 204, headers: { 'upload-offset': String(to), 'tus-resumable': '1.0.0' } });
    t.equal(stage.desk.landedBytes.get('aa') ?? 0, to);
  }
  t.same(stage.desk.told, ['whole aa']);
  t.ok((await readFile(path)).equals(bytes));
  t.match(await stage.head(at), { status: 200, headers: { 'upload-offset': String(bytes.length), 'upload-length': String(bytes.length) } });
  t.match(await stage.patch(at, bytes.length, Buffer.alloc(0)), { status: 204 });
  t.match(await stage.patch(at, bytes.length, Buffer.alloc(1)), { status: 413 });
  t.match(await stage.patch(at, 0, Buffer.alloc(1)), { status: 409, headers: { 'upload-offset': String(bytes.length) } });
  t.match(await stage.ask('DELETE', at, { headers: tus }), { status: 409, json: { code: 'upload-over' } });
  t.match((await stage.status(at)).json, { whole: true, received: bytes.length, landed: [[0, bytes.length]] });
  t.same(stage.faults, []);
});

t.test('a file of nothing is whole when somebody looks', async (t) => {
  const stage = await UploadStage.start(t);
  const { at, path } = await stage.upload('zero', 0);
  t.match(await stage.head(at), { status: 200, headers: { 'upload-offset': '0', 'upload-length': '0' } });
  t.same(stage.desk.told, ['whole zero']);
  t.equal((await readFile(path)).length, 0);
});

t.test('a body that breaks off leaves what came; the next one goes on there', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(2 * MiB);
  const { at, path } = await stage.upload('bb', bytes.length);
  const raw = await stage.begin('PATCH', at, { ...patchOf(0), 'content-length': String(bytes.length) });
  await raw.send(bytes.subarray(0, MiB + 12_345));
  while ((stage.desk.landedBytes.get('bb') ?? 0) < MiB) await new Promise((turn) => setTimeout(turn, 5));
  raw.socket.destroy();
  await stage.bodies(0);
  t.match(await stage.head(at), { headers: { 'upload-offset': String(MiB + 12_345) } });
  t.match(await stage.patch(at, MiB + 12_345, bytes.subarray(MiB + 12_345)), { status: 204 });
  t.ok((await readFile(path)).equals(bytes));
});

t.test('a disk that fills while a body comes ends it there; what came before is kept, and it goes on when there is room', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(2 * MiB);
  const { at, path } = await stage.upload('full', bytes.length);
  const raw = await stage.begin('PATCH', at, { ...patchOf(0), 'content-length': String(bytes.length) });
  await raw.send(bytes.subarray(0, MiB));
  while (stage.desk.landedBytes.get('full') !== MiB) await new Promise((turn) => setTimeout(turn, 5));
  stage.desk.full = { status: 507, code: 'disk-full', detail: 'no room' };
  await raw.send(bytes.subarray(MiB));
  await stage.bodies(0);
  t.match(await stage.head(at), { headers: { 'upload-offset': String(MiB) } });
  stage.desk.full = null;
  t.match(await stage.patch(at, MiB, bytes.subarray(MiB)), { status: 204 });
  t.ok((await readFile(path)).equals(bytes));
  t.same(stage.faults, [], 'it is no fault of the server');
});

t.test('slow bytes are counted while they come, without waiting for more', async (t) => {
  const stage = await UploadStage.start(t);
  const { at } = await stage.upload('slow', 1000);
  const raw = await stage.begin('PATCH', at, { ...patchOf(0), 'content-length': '1000' });
  await raw.send('abc');
  while (stage.desk.landedBytes.get('slow') !== 3) await new Promise((turn) => setTimeout(turn, 5));
  t.match(await stage.head(at), { headers: { 'upload-offset': '3' } });
  raw.socket.destroy();
});

t.test('checksums: what does not fit is thrown away, all of it; a cut body with one leaves nothing', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(MiB);
  const { at, path } = await stage.upload('cc', bytes.length);
  const half = bytes.subarray(0, MiB / 2);
  const wrong = createHash('sha1').update('other').digest('base64');
  t.match(await stage.patch(at, 0, half, { 'upload-checksum': `sha1 ${wrong}` }), { status: 460, json: { status: 460, code: 'checksum-mismatch' } });
  t.match(await stage.head(at), { headers: { 'upload-offset': '0' } });
  const raw = await stage.begin('PATCH', at, { ...patchOf(0), 'content-length': String(half.length), 'upload-checksum': `sha1 ${createHash('sha1').update(half).digest('base64')}` });
  await raw.send(half.subarray(0, 300_000));
  await stage.bodies(1);
  raw.socket.destroy();
  await stage.bodies(0);
  t.match(await stage.head(at), { headers: { 'upload-offset': '0' } });
  t.match(await stage.patch(at, 0, half, { 'upload-checksum': `sha256 ${createHash('sha256').update(half).digest('base64')}` }), { status: 204 });
  const rest = bytes.subarray(MiB / 2);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(rest));
  t.match(await stage.patch(at, MiB / 2, rest, { 'upload-checksum': `crc32c ${crc.toString('base64')}` }), { status: 204 });
  t.ok((await readFile(path)).equals(bytes));
  for (const [field, code] of [['sha1', 'bad-checksum'], ['sha1 !', 'bad-checksum'], [`sha1 ${wrong}A`, 'bad-checksum'], ['md5 AAAA', 'checksum-unsupported']] as const) {
    t.match(await stage.patch(at, 0, half, { 'upload-checksum': field }), { status: 400, json: { code } });
  }
});

t.test('a body without a length goes as far as it goes, and not beyond the end', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(700_000);
  const { at, path } = await stage.upload('dd', bytes.length);
  const raw = await stage.begin('PATCH', at, { ...patchOf(0), 'transfer-encoding': 'chunked' });
  await raw.send(Buffer.concat([Buffer.from(`${(600_000).toString(16)}\r\n`), bytes.subarray(0, 600_000), Buffer.from('\r\n0\r\n\r\n')]));
  t.equal(await raw.status(), 204);
  raw.socket.destroy();
  const more = await stage.begin('PATCH', at, { ...patchOf(600_000), 'transfer-encoding': 'chunked' });
  await more.send(Buffer.concat([Buffer.from(`${(100_001).toString(16)}\r\n`), Buffer.alloc(100_001), Buffer.from('\r\n0\r\n\r\n')]));
  t.equal(await more.status(), 413);
  more.socket.destroy();
  const offset = Number((await stage.head(at)).headers['upload-offset']);
  t.ok(offset >= 600_000 && offset < 700_000, `${offset}`);
  t.match(await stage.patch(at, offset, bytes.subarray(offset)), { status: 204 });
  t.ok((await readFile(path)).equals(bytes) || offset > 600_000, 'the bytes are those of whoever was heard');
});

t.test('termination: the upload is gone at once, also under whoever writes', async (t) => {
  const stage = await UploadStage.start(t);
  const { at, path } = await stage.upload('ee', MiB);
  const raw = await stage.begin('PATCH', at, { ...patchOf(0), 'content-length': String(MiB) });
  await raw.send(Buffer.alloc(400_000));
  await stage.bodies(1);
  t.match(await stage.ask('DELETE', at, { headers: tus }), { status: 204 });
  t.equal(await raw.status(), 410);
  raw.socket.destroy();
  t.same(stage.desk.told, ['cancelled ee']);
  await t.rejects(readFile(path), { code: 'ENOENT' });
  await t.rejects(readFile(`${path}.landed`), { code: 'ENOENT' });
  t.match(await stage.head(at), { status: 404 });
});

t.test('who comes back takes the place of his dead connection; who finds somebody at work waits, and is then told so', async (t) => {
  const clock = new FakeClock(Date.now());
  const stage = await UploadStage.start(t, { clock });
  const bytes = randomBytes(MiB);
  const { at, path } = await stage.upload('ff', bytes.length);
  const dead = await stage.begin('PATCH', at, { ...patchOf(0), 'content-length': String(MiB) });
  await dead.send(bytes.subarray(0, 1000));
  while (stage.desk.landedBytes.get('ff') !== 1000) {
    clock.advance(200);
    await new Promise((turn) => setTimeout(turn, 5));
  }
  // Silent for a moment only: it may be alive.
  const waiting = stage.patch(at, 1000, bytes.subarray(1000, 2000));
  await stage.bodies(2);
  clock.advance(500);
  await dead.send('x');
  while (stage.desk.landedBytes.get('ff') !== 1001) {
    clock.advance(200);
    await new Promise((turn) => setTimeout(turn, 5));
  }
  const other = stage.patch(at, 1001, bytes.subarray(1001, 2000));
  t.match(await waiting, { status: 423, headers: { 'retry-after': '2' }, json: { code: 'locked' } }, 'the newest one is meant');
  await stage.bodies(2);
  clock.advance(2_000);
  t.match(await other, { status: 204, headers: { 'upload-offset': '2000' } });
  t.equal(await dead.status(), 409, 'the dead one would hear so');
  dead.socket.destroy();
  const alive = await stage.begin('PATCH', at, { ...patchOf(2000), 'content-length': String(MiB - 2000) });
  await stage.bodies(1);
  const late = stage.patch(at, 2000, bytes.subarray(2000));
  await stage.bodies(2);
  for (let second = 0; second < 6; second += 1) {
    await alive.send(bytes.subarray(2000 + second, 2001 + second));
    while (stage.desk.landedBytes.get('ff') !== 2001 + second) {
      clock.advance(200);
      await new Promise((turn) => setTimeout(turn, 5));
    }
    clock.advance(800);
  }
  t.match(await late, { status: 423 });
  alive.socket.destroy();
  await stage.bodies(0);
  const offset = Number((await stage.head(at)).headers['upload-offset']);
  t.match(await stage.patch(at, offset, bytes.subarray(offset)), { status: 204 });
  const found = await readFile(path);
  t.equal(found[1000], 'x'.charCodeAt(0));
  found[1000] = bytes[1000] ?? 0;
  t.ok(found.equals(bytes));
});

t.test('every refusal has its status and code, can be read from any page, and leaves the connection and the upload as they were', async (t) => {
  const clock = new FakeClock(Date.now());
  const stage = await UploadStage.start(t, { clock });
  const { at } = await stage.upload('gg', 1000);
  const whatever = Buffer.alloc(500);
  const cases: readonly (readonly [string, Record<string, string>, number, string])[] = [
    ['PATCH', { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, 412, 'tus-version'],
    ['PATCH', { ...patchOf(0), 'tus-resumable': '0.2.2' }, 412, 'tus-version'],
    ['PATCH', { ...tus, 'upload-offset': '0' }, 415, 'not-offset-octet-stream'],
    ['PATCH', { ...patchOf(0), 'content-type': 'application/offset+octet-stream; charset=utf-8' }, 415, 'not-offset-octet-stream'],
    ['PATCH', { ...tus, 'content-type': 'application/offset+octet-stream' }, 400, 'bad-offset'],
    ...['-1', '1e3', '0x0', ' 0 0', '00', '9007199254740992', '18446744073709551616', '+0', '0.0', 'NaN', '', '٠'].map((offset) => ['PATCH', patchOf(Buffer.from(offset).toString('latin1')), 400, 'bad-offset'] as const),
    ['PATCH', patchOf(1), 409, 'offset-conflict'],
    ['PATCH', patchOf(9007199254740991), 409, 'offset-conflict'],
    ['GET', tus, 405, 'method-not-allowed'],
    ['POST', { ...patchOf(0), 'x-http-method-override': 'PATCH' }, 405, 'method-not-allowed'],
    ['PUT', tus, 405, 'method-not-allowed'],
  ];
  for (const [method, headers, status, code] of cases) {
    const answer = await stage.ask(method, at, { headers, body: whatever });
    t.match(answer, { status, headers: { 'content-type': 'application/problem+json', 'access-control-allow-origin': '*' }, json: { type: 'about:blank', status, code } }, `${method} ${JSON.stringify(headers)}`);
    t.match(answer.json['detail'], /\.$/);
  }
  t.match(await stage.patch(at, 0, Buffer.alloc(1001)), { status: 413, json: { code: 'too-much' } });
  t.match(await stage.ask('HEAD', at), { status: 412 });
  t.match((await stage.patch('/upload/nobody-has-ever-made-this', 0, whatever)).json, { code: 'upload-unknown' });
  stage.desk.full = { status: 507, code: 'disk-full', detail: 'Full.' };
  t.match(await stage.patch(at, 0, whatever), { status: 507, json: { code: 'disk-full' } });
  stage.desk.full = null;
  t.match(await stage.head(at), { headers: { 'upload-offset': '0' } });
  clock.advance(3_600_000);
  t.match(await stage.patch(at, 0, whatever), { status: 410, json: { code: 'upload-expired' } });
  t.same(stage.faults, []);
});

t.test('OPTIONS says what is understood here, to tus clients and to browsers alike', async (t) => {
  const stage = await UploadStage.start(t);
  const { at } = await stage.upload('hh', 1000);
  const answer = await stage.ask('OPTIONS', at, { headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'PATCH' } });
  t.equal(answer.status, 204);
  t.match(answer.headers, { 'tus-version': '1.0.0', 'tus-extension': 'checksum,expiration,termination', 'tus-checksum-algorithm': 'sha1,sha256,crc32c' });
  t.match(answer.headers, { 'access-control-allow-origin': '*', 'access-control-max-age': '86400' });
  for (const method of ['PATCH', 'HEAD', 'DELETE', 'PUT', 'POST', 'GET']) t.match(answer.headers['access-control-allow-methods'], method);
  for (const header of ['Content-Digest', 'Tus-Resumable', 'Upload-Offset', 'Upload-Checksum']) t.match(answer.headers['access-control-allow-headers'], header);
  for (const header of ['Upload-Offset', 'Upload-Length', 'Upload-Expires', 'Retry-After']) t.match(answer.headers['access-control-expose-headers'], header);
});
