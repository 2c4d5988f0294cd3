import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock } from '../packager/clock.ts';
import { FileCertificates } from './certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const make = (name: string): { certificate: string; key: string } => {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
  execFileSync('openssl', [...how, '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
  return files;
};
const first = make('first');
const second = make('second');
const said: string[] = [];
const log = { info: (_: unknown, words: string) => void said.push(words), error: (_: unknown, words: string) => void said.push(words) } as never;

t.test('a renewed certificate is taken up; half of a renewal leaves the old one in use', async (t) => {
  const files = { certificate: join(folder, 'live.crt'), key: join(folder, 'live.key') };
  copyFileSync(first.certificate, files.certificate);
  copyFileSync(first.key, files.key);
  const store = await FileCertificates.open(files, new FakeClock(), log);
  t.teardown(() => store.close());
  let changes = 0;
  store.onChange(() => (changes += 1));
  const before = store.context();
  t.ok(before);

  copyFileSync(second.certificate, files.certificate);
  await store.look();
  await store.look();
  t.equal(store.context(), before, 'certificate and key do not belong together');
  t.equal(said.length, 1, 'said once');

  copyFileSync(second.key, files.key);
  await store.look();
  t.not(store.context(), before);
  t.equal(changes, 1);
  await store.look();
  t.equal(changes, 1, 'the same files again are nothing');
});

t.test('files that cannot be used stop the start', async (t) => {
  const broken = join(folder, 'broken.crt');
  writeFileSync(broken, 'no certificate');
  await t.rejects(FileCertificates.open({ certificate: broken, key: first.key }, new FakeClock(), log));
  await t.rejects(FileCertificates.open({ certificate: join(folder, 'absent'), key: first.key }, new FakeClock(), log));
});
