import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock } from '../packager/clock.ts';
import { CertificateError, FileCertificates, type CertificateFiles } from './certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const make = (name: string): { certificate: string; key: string } => {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
  execFileSync('openssl', [...how, '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
  return files;
};
const first = make('first.example.org');
const second = make('second.example.org');
const said: string[] = [];
const say = (_: unknown, words: string): void => void said.push(words);
const log = { info: say, warn: say, error: say } as never;
const open = (files: CertificateFiles, clock = new FakeClock(), lookEveryMs = 60_000) => FileCertificates.open({ files, lookEveryMs, clock, log });

t.test('a renewed certificate is taken up; half of a renewal leaves the old one in use', async (t) => {
  const files = { certificate: join(folder, 'live.crt'), key: join(folder, 'live.key') };
  copyFileSync(first.certificate, files.certificate);
  copyFileSync(first.key, files.key);
  const clock = new FakeClock();
  const store = await open(files, clock);
  t.teardown(() => store.close());
  let changes = 0;
  store.onChange(() => (changes += 1));
  const before = store.current;
  t.same(before.names, ['first.example.org']);
  said.length = 0;

  copyFileSync(second.certificate, files.certificate);
  await store.look();
  await store.look();
  t.equal(store.current, before, 'certificate and key do not belong together');
  t.match(store.refused, /is not the key of/);
  t.equal(said.length, 1, 'said once');

  copyFileSync(second.key, files.key);
  await store.look();
  t.same(store.current.names, ['second.example.org']);
  t.equal(store.refused, null);
  t.equal(changes, 1);
  await store.look();
  t.equal(changes, 1, 'the same files again are nothing');

  unlinkSync(files.key);
  await store.look();
  t.same(store.current.names, ['second.example.org'], 'a file that is gone for a moment is no reason to stop');
  t.match(store.refused, /tls\.key: .* cannot be read/);
});

t.test('it looks by itself, and says once when the end is near', async (t) => {
  const clock = new FakeClock(Date.now() - 60 * 86_400_000);
  const files = { certificate: join(folder, 'watched.crt'), key: join(folder, 'watched.key') };
  copyFileSync(first.certificate, files.certificate);
  copyFileSync(first.key, files.key);
  said.length = 0;
  const store = await open(files, clock, 1_000);
  t.teardown(() => store.close());
  t.same(said, [], 'two months before, nothing is said');
  const changed = new Promise<string>((resolve) => store.onChange(({ names }) => resolve(names.join())));
  copyFileSync(second.certificate, files.certificate);
  copyFileSync(second.key, files.key);
  clock.advance(1_000);
  t.equal(await changed, 'second.example.org');
  clock.setWall(Date.now());
  await store.look();
  await store.look();
  t.same(said.filter((words) => words.includes('ends soon')), ['The certificate ends soon.']);
});

t.test('files that cannot be used stop the start, with words', async (t) => {
  const broken = join(folder, 'broken.crt');
  writeFileSync(broken, 'no certificate');
  const refusal = async (files: CertificateFiles): Promise<string> => {
    const error: unknown = await open(files).catch((error: unknown) => error);
    t.ok(error instanceof CertificateError);
    return error instanceof CertificateError ? error.message : '';
  };
  t.match(await refusal({ certificate: broken, key: first.key }), /^tls\.certificate: .* holds no certificate in PEM/);
  t.match(await refusal({ certificate: join(folder, 'absent'), key: first.key }), /^tls\.certificate: .* cannot be read: ENOENT/);
  t.match(await refusal({ certificate: first.certificate, key: broken }), /^tls\.key: .* holds no private key/);
  t.match(await refusal({ certificate: first.certificate, key: second.key }), /^tls\.key: .* is not the key of the first certificate/);
  const chain = join(folder, 'chain.crt');
  writeFileSync(chain, `${readFileSync(first.certificate, 'utf8')}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
  t.match(await refusal({ certificate: chain, key: first.key }), /^tls\.certificate: .* cannot be used/);
});
