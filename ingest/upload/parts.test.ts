import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { crc32c } from './crc32c.ts';
import { patchOf, sha256Field, tus, UploadStage } from './test-server.ts';

const KiB = 1024;
const MiB = 2 ** 20;
const crcField = (body: Buffer): string => {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32c(body));
  return `crc32c=:${value.toString('base64')}:`;
};

t.test('parts in any order, several at once, of several sizes; finish says what is missing until nothing is, and need not be said', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(5 * MiB + 321);
  const { at, path } = await stage.upload('aa', bytes.length);
  const of = (part: number, size = MiB) => bytes.subarray(part * size, (part + 1) * size);
  t.match((await stage.status(at)).json, { size: bytes.length, unit: 262_144, partSize: MiB, received: 0, mode: null, landed: [], whole: false, expiresAt: /^20.*Z$/ });
  t.match((await stage.finish(at)).json, { status: 409, code: 'parts-missing', missing: [[0, bytes.length]] });
  const answers = await Promise.all([5, 3, 0].map((part) => stage.put(at, part, of(part), part === 3 ? { 'content-digest': crcField(of(part)) } : {})));
  t.same(answers.map(({ status }) => status), [204, 204, 204]);
  t.equal(stage.desk.landedBytes.get('aa'), 2 * MiB + 321);
  // A proxy between here and the client takes no more than this.
  t.match(await stage.ask('PUT', `${at}/parts/5?size=262144`, { body: of(5, 256 * KiB), headers: { 'content-digest': sha256Field(of(5, 256 * KiB)) } }), { status: 204 });
  t.match((await stage.status(at)).json, {
    mode: 'parts',
    received: 2 * MiB + 321 + 256 * KiB,
    landed: [[0, MiB], [MiB + 256 * KiB, MiB + 512 * KiB], [3 * MiB, 4 * MiB], [5 * MiB, bytes.length]],
  });
  const missing = await stage.finish(at);
  t.match(missing.json, { status: 409, code: 'parts-missing', missing: [[MiB, MiB + 256 * KiB], [MiB + 512 * KiB, 3 * MiB], [4 * MiB, 5 * MiB]] });
  for (const part of [1, 2]) t.match(await stage.put(at, part, of(part)), { status: 204 });
  t.same(stage.desk.told, []);
  t.match(await stage.put(at, 4, of(4)), { status: 204 });
  await stage.quiet();
  t.same(stage.desk.told, ['whole aa'], 'whoever sent the last one may be gone');
  t.ok((await readFile(path)).equals(bytes));
  await t.rejects(readFile(`${path}.landed`), { code: 'ENOENT' });
  t.match(await stage.finish(at), { status: 200, json: { whole: true, video: 'aa' } });
  t.match(await stage.put(at, 2, of(2)), { status: 204 }, 'also when it comes again after the end');
  t.match((await stage.status(at)).json, { whole: true, received: bytes.length, mode: null });
  t.same([stage.desk.told, stage.faults], [['whole aa'], []]);
});

t.test('what does not fit its digest does not count, and what counts is never written again', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(2 * MiB);
  const { at, path } = await stage.upload('bb', bytes.length);
  const other = randomBytes(MiB);
  t.match(await stage.put(at, 0, other, { 'content-digest': sha256Field(bytes) }), { status: 422, json: { code: 'digest-mismatch' } });
  t.match(await stage.put(at, 0, other, { 'content-digest': crcField(bytes) }), { status: 422, json: { code: 'digest-mismatch' } });
  t.match((await stage.status(at)).json, { received: 0, mode: null });
  t.match(await stage.ask('PUT', `${at}/parts/1?size=524288`, { body: bytes.subarray(MiB / 2, MiB), headers: { 'content-digest': sha256Field(bytes.subarray(MiB / 2, MiB)) } }), { status: 204 });
  const lie = Buffer.concat([bytes.subarray(0, MiB / 2), other.subarray(0, MiB / 2)]);
  t.match(await stage.put(at, 0, lie), { status: 204 }, 'a part of which some is there brings the rest');
  t.ok((await readFile(path)).subarray(0, MiB).equals(bytes.subarray(0, MiB)));
  t.match(await stage.put(at, 0, other), { status: 204 });
  t.ok((await readFile(path)).subarray(0, MiB).equals(bytes.subarray(0, MiB)), 'whoever reads it sees it stay as it is');
});

t.test('tus and parts do not mix: the first byte decides', async (t) => {
  const stage = await UploadStage.start(t);
  const body = randomBytes(MiB);
  const [tusFirst, partsFirst] = [await stage.upload('cc', 2 * MiB), await stage.upload('dd', 2 * MiB)];
  t.match(await stage.patch(tusFirst.at, 0, body), { status: 204 });
  t.match(await stage.put(tusFirst.at, 1, body), { status: 409, json: { code: 'other-way' } });
  t.match(await stage.put(partsFirst.at, 1, body), { status: 204 });
  t.match(await stage.patch(partsFirst.at, 0, body), { status: 409, json: { code: 'other-way' } });
  t.match(await stage.head(partsFirst.at), { status: 409 });
  t.match((await stage.status(tusFirst.at)).json, { mode: 'tus', landed: [[0, MiB]] });
  t.match(await stage.patch(tusFirst.at, MiB, body), { status: 204 });
  t.match(await stage.finish(tusFirst.at), { status: 200 });
  const both = await stage.upload('ee', MiB);
  const raw = await stage.begin('PUT', `${both.at}/parts/0`, { 'content-length': String(MiB), 'content-digest': sha256Field(body) });
  await stage.bodies(1);
  t.match(await stage.patch(both.at, 0, body), { status: 409, json: { code: 'other-way' } }, 'also while nothing has landed yet');
  raw.socket.destroy();
  await stage.bodies(0);
  t.match(await stage.patch(both.at, 0, body), { status: 204 }, 'who left without a trace decided nothing');
});

t.test('every refusal of a part has its code, and leaves the upload as it was', async (t) => {
  const stage = await UploadStage.start(t);
  const { at } = await stage.upload('ff', 2 * MiB + 5);
  const body = Buffer.alloc(MiB, 1);
  const good = sha256Field(body);
  const cases: readonly (readonly [string, Record<string, string>, number, string])[] = [
    ['0', {}, 400, 'digest-required'],
    ['0', { 'content-digest': 'md5=:AAAA:' }, 400, 'digest-unsupported'],
    ['0', { 'content-digest': 'sha-256=AAAA' }, 400, 'bad-digest'],
    ['0', { 'content-digest': 'sha-256=:AAAA:' }, 400, 'bad-digest'],
    ['0', { 'content-digest': good, 'content-encoding': 'gzip' }, 415, 'encoded'],
    ['3', { 'content-digest': good }, 400, 'no-such-part'],
    ['2', { 'content-digest': good }, 400, 'part-length'],
    ['0?size=524288', { 'content-digest': good }, 400, 'part-length'],
    ...['-1', '1e0', '01', '9007199254740992', '', '0%00', '+1', ' 1'.trim() + '.0'].map((part) => [part, { 'content-digest': good }, 400, 'bad-part'] as const),
    ...['0?size=', '0?size=300000', '0?size=131072', '0?size=134217728', '0?size=262144&size=524288', '0?Size=262144', '0?x=1'].map((part) => [part, { 'content-digest': good }, 400, 'bad-part-size'] as const),
    ['0/1', { 'content-digest': good }, 404, 'not-found'],
  ];
  for (const [part, headers, status, code] of cases) {
    const answer = await stage.ask('PUT', `${at}/parts/${part}`, { headers, body });
    t.match(answer, { status, headers: { 'content-type': 'application/problem+json', 'access-control-allow-origin': '*' }, json: { status, code } }, `${part} ${JSON.stringify(headers)}`);
  }
  t.match((await stage.put(at, 2, body)).json, { length: 5 });
  const raw = await stage.begin('PUT', `${at}/parts/0`, { 'transfer-encoding': 'chunked', 'content-digest': good });
  t.equal(await raw.status(), 411);
  raw.socket.destroy();
  stage.desk.full = { status: 507, code: 'disk-full', detail: 'Full.' };
  t.match(await stage.put(at, 0, body), { status: 507, json: { code: 'disk-full' } });
  t.match(await stage.ask('POST', `${at}/parts/0`, { body }), { status: 405, headers: { allow: 'PUT, OPTIONS' } });
  t.match(await stage.ask('GET', `${at}/finish`), { status: 405 });
  for (const elsewhere of ['/upload/', '/upload/short', '/upload/../api', `${at}/`, `${at}/status/`, `${at}/other`, `/upload/${'a'.repeat(1025)}`, `/upload/${'..%2f'.repeat(6)}`, `${at}%00`, `/upload/${'a'.repeat(3000)}`]) {
    t.match(await stage.ask('GET', elsewhere), { status: 404, json: { code: 'not-found' } }, elsewhere.slice(0, 60));
  }
  t.match((await stage.status(at)).json, { received: 0, mode: null });
  t.same(stage.faults, []);
});

t.test('a part that hangs makes place for the same one sent anew, also in another size', async (t) => {
  const clock = new FakeClock(Date.now());
  const stage = await UploadStage.start(t, { clock });
  const bytes = randomBytes(2 * MiB);
  const { at, path } = await stage.upload('gg', bytes.length);
  const hung = await stage.begin('PUT', `${at}/parts/0`, { 'content-length': String(MiB), 'content-digest': sha256Field(bytes.subarray(0, MiB)) });
  await hung.send(Buffer.alloc(700_000, 7));
  await stage.received(700_000);
  clock.advance(2_000);
  const again = bytes.subarray(256 * KiB, 512 * KiB);
  t.match(await stage.ask('PUT', `${at}/parts/1?size=262144`, { body: again, headers: { 'content-digest': sha256Field(again) } }), { status: 204 });
  t.equal(await hung.status(), 409);
  // What it sends now is heard by nobody.
  await hung.send(Buffer.alloc(MiB - 700_000, 7));
  hung.socket.destroy();
  for (const part of [0, 1]) t.match(await stage.put(at, part, bytes.subarray(part * MiB, (part + 1) * MiB)), { status: 204 });
  t.match(await stage.finish(at), { status: 200 });
  t.ok((await readFile(path)).equals(bytes));
});

t.test('two clients with one address send the same parts at the same time: both hear yes, and the file is right', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(8 * MiB);
  const { at, path } = await stage.upload('hh', bytes.length);
  const all = async (order: readonly number[]): Promise<number[]> => Promise.all(order.map(async (part) => (await stage.put(at, part, bytes.subarray(part * MiB, (part + 1) * MiB))).status));
  const [one, two] = await Promise.all([all([0, 1, 2, 3, 4, 5, 6, 7]), all([7, 6, 5, 4, 3, 2, 1, 0])]);
  const retried = await all([...(one ?? []), ...(two ?? [])].flatMap((status, at) => (status === 204 ? [] : [at & 7])));
  t.ok([...(one ?? []), ...(two ?? [])].filter((status) => status === 204).length >= 8);
  t.ok(retried.every((status) => status === 204));
  t.same(await Promise.all([stage.finish(at), stage.finish(at)]).then((answers) => answers.map(({ status }) => status)), [200, 200]);
  t.same(stage.desk.told, ['whole hh'], 'whoever finishes it, it is finished once');
  t.ok((await readFile(path)).equals(bytes));
});

t.test('the last part is answered before the disk has all of it; who asks then waits for that', async (t) => {
  const stage = await UploadStage.start(t);
  const { at } = await stage.upload('kk', MiB);
  const settled = Promise.withResolvers<void>();
  stage.desk.settle = () => settled.promise;
  t.match(await stage.put(at, 0, randomBytes(MiB)), { status: 204 });
  const asked = stage.finish(at);
  t.same(stage.desk.told, []);
  settled.resolve();
  t.match(await asked, { status: 200 });
  t.same(stage.desk.told, ['whole kk']);
});

t.test('an end that fails is made up for by whoever says finish', async (t) => {
  const stage = await UploadStage.start(t);
  const { at } = await stage.upload('ll', MiB);
  stage.desk.settle = () => Promise.reject(new Error('the catalog is busy'));
  t.match(await stage.put(at, 0, randomBytes(MiB)), { status: 204 }, 'it has landed all the same');
  await stage.quiet();
  t.match(stage.faults, [{ message: 'the catalog is busy' }]);
  stage.desk.settle = async () => undefined;
  t.match(await stage.finish(at), { status: 200 });
  t.same(stage.desk.told, ['whole ll']);
});

t.test('so many parts of one upload, and of all, are taken at once; the others are told to come again', async (t) => {
  const stage = await UploadStage.start(t, { limits: { bodiesOfUpload: 3, bodies: 4 } });
  const body = Buffer.alloc(MiB, 3);
  const one = await stage.upload('ii', 8 * MiB);
  const two = await stage.upload('jj', 8 * MiB);
  const begin = (at: string, part: number) => stage.begin('PUT', `${at}/parts/${part}`, { 'content-length': String(MiB), 'content-digest': sha256Field(body) });
  const held = [await begin(one.at, 0), await begin(one.at, 1), await begin(one.at, 2)];
  await stage.bodies(3);
  t.match(await stage.put(one.at, 3, body), { status: 429, headers: { 'retry-after': '1' }, json: { code: 'too-many-parts' } });
  held.push(await begin(two.at, 0));
  await stage.bodies(4);
  t.match(await stage.put(two.at, 1, body), { status: 503, json: { code: 'crowded' } });
  for (const raw of held.slice(1)) raw.socket.destroy();
  await held[0]?.send(body);
  t.equal(await held[0]?.status(), 204);
  held[0]?.socket.destroy();
  await stage.bodies(0);
  t.match(await stage.put(two.at, 1, body), { status: 204 });
});

t.test('a body that brings nothing for a minute is ended, and one that brings a byte now and then is not', async (t) => {
  const clock = new FakeClock(Date.now());
  const stage = await UploadStage.start(t, { clock });
  const body = Buffer.alloc(MiB, 3);
  const { at } = await stage.upload('kk', 2 * MiB);
  const silent = await stage.begin('PUT', `${at}/parts/0`, { 'content-length': String(MiB), 'content-digest': sha256Field(body) });
  const slow = await stage.begin('PUT', `${at}/parts/1`, { 'content-length': String(MiB), 'content-digest': sha256Field(body) });
  await stage.bodies(2);
  for (let count = 1; count <= 4; count += 1) {
    await slow.send(body.subarray(count - 1, count));
    await stage.received(count);
    clock.advance(40_000);
  }
  t.equal(await silent.status(), 408);
  t.match(silent.heard, 'too-slow');
  await silent.closed;
  await slow.send(body.subarray(4));
  t.equal(await slow.status(), 204);
  slow.socket.destroy();
});

t.test('clients that ask before they send are told to only where their bytes are wanted', async (t) => {
  const stage = await UploadStage.start(t);
  const body = randomBytes(MiB);
  const { at } = await stage.upload('ll', MiB);
  const ask = (digest: string) => stage.begin('PUT', `${at}/parts/0`, { 'content-length': String(MiB), 'content-digest': digest, expect: '100-continue' });
  const refused = await ask('md5=:AAAA:');
  t.equal(await refused.status(), 400);
  t.notMatch(refused.heard, '100 Continue');
  await refused.closed;
  const wanted = await ask(sha256Field(body));
  while (!wanted.heard.includes('100 Continue')) await new Promise((turn) => setTimeout(turn, 5));
  await wanted.send(body);
  t.equal(await wanted.status(), 204);
  wanted.socket.destroy();
  const there = await ask(sha256Field(body));
  t.equal(await there.status(), 204, 'a part that is there needs no body');
  t.notMatch(there.heard, '100 Continue');
  await there.closed;
});

t.test('a refusal reaches a client that goes on sending, and a body without end is cut', async (t) => {
  const stage = await UploadStage.start(t, { limits: { drainBytes: 4 * MiB } });
  const { at } = await stage.upload('mm', 64 * MiB);
  const raw = await stage.begin('PATCH', at, { ...patchOf(5), 'content-length': String(64 * MiB - 5) });
  t.equal(await raw.status(), 409);
  let sent = 0;
  for (; !raw.socket.destroyed && sent < 60; sent += 1) await Promise.race([raw.send(Buffer.alloc(MiB)), raw.closed]);
  t.ok(sent > 3 && sent < 60, `cut after ${sent} MiB`);
  t.match(await stage.ask('PATCH', at, { headers: patchOf(5), body: Buffer.alloc(3 * MiB) }), { status: 409 });
});

t.test('a stop ends what is under way in order: what came by tus stays, parts are sent again', async (t) => {
  const stage = await UploadStage.start(t);
  const bytes = randomBytes(2 * MiB);
  const [one, two] = [await stage.upload('nn', bytes.length), await stage.upload('oo', bytes.length)];
  const patch = await stage.begin('PATCH', one.at, { ...patchOf(0), 'content-length': String(bytes.length) });
  const part = await stage.begin('PUT', `${two.at}/parts/0`, { 'content-length': String(MiB), 'content-digest': sha256Field(bytes.subarray(0, MiB)) });
  await patch.send(bytes.subarray(0, 777_777));
  await part.send(bytes.subarray(0, 777_777));
  await stage.received(2 * 777_777);
  const startedAt = performance.now();
  await stage.edge.stop();
  await stage.originals.stop();
  t.ok(performance.now() - startedAt < 2000);
  t.same([await patch.status(), await part.status()], [503, 503]);
  t.match(patch.heard, 'stopping');
  t.match(await stage.ask('HEAD', one.at, { headers: tus }), { status: 503 });
  t.equal((await stage.originals.landed(one.path, bytes.length))?.bytes, 777_777);
  t.equal((await stage.originals.landed(two.path, bytes.length))?.bytes ?? 0, 0);
  t.ok((await readFile(one.path)).subarray(0, 777_777).equals(bytes.subarray(0, 777_777)));
  for (const raw of [patch, part]) raw.socket.destroy();
});
