import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ConfigError, loadConfig } from './load.ts';
import { settings, variableOf } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const file = (text: string): string => {
  const path = join(folder, 'millrace.yaml');
  writeFileSync(path, text);
  return path;
};
const refused = (text: string): string => {
  try {
    loadConfig(file(text), {});
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replace(folder, '');
    throw error;
  }
  throw new Error('the file was taken');
};

t.test('conf/default.yaml says exactly what the defaults are', async (t) => {
  t.same(loadConfig('conf/default.yaml', {}).config, loadConfig(null, {}).config);
  const { readFileSync } = await import('node:fs');
  const { parse } = await import('yaml');
  const flat = (value: unknown, prefix = ''): string[] =>
    value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value).flatMap(([key, inner]) => flat(inner, prefix === '' ? key : `${prefix}.${key}`)) : [prefix];
  t.same(flat(parse(readFileSync('conf/default.yaml', 'utf8'))).sort(), Object.keys(settings).sort());
});

t.test('the environment wins over the file, the file over the defaults', async (t) => {
  const { config } = loadConfig(file('http:\n  port: 81\nrtmp: {port: 1999}\ndisk: {warn: 50%}\nlive: {dvr: 30m}'), { MILLRACE_HTTP_PORT: '82', MILLRACE_LIVE_RECONNECT_WINDOW: '5m', MILLRACE_TRUSTED_PROXIES: '10.0.0.0/8, ::1' });
  t.equal(config['http.port'], 82);
  t.equal(config['rtmp.port'], 1999);
  t.equal(config['srt.port'], 10_080);
  t.equal(config['live.reconnectWindow'], 300_000);
  t.equal(config['disk.warn'], 0.5);
  t.equal(config['live.dvr'], 1_800);
  t.same(config.trustedProxies, ['10.0.0.0/8', '::1']);
  const imports = loadConfig(null, { MILLRACE_UPLOADS_IMPORT_FROM: 'NAS.local,10.0.0.0/8,fd00::/8', MILLRACE_SANDBOX: 'strict' }).config;
  t.same(imports['uploads.importFrom'], ['nas.local', '10.0.0.0/8', 'fd00::/8']);
  t.equal(imports.sandbox, 'strict');
  t.equal(variableOf('server.publicUrl'), 'MILLRACE_SERVER_PUBLIC_URL');
});

t.test('a wrong key is refused with its place and the nearest name', async (t) => {
  t.match(refused('http:\n  prot: 80'), /yaml:2:3: there is no setting "http\.prot"; did you mean "http\.port"\?/);
  t.match(refused('htp: {port: 80}'), /yaml:1:1: .*"htp"/);
});

t.test('a wrong value is refused with its place and what would be right', async (t) => {
  t.match(refused('http: {port: 99999}'), /http\.port: 99999 is not a whole number from 0 to 65535/);
  t.match(refused('live: {reconnectWindow: soon}'), /"soon" is not a time from 0 to 30m/);
  t.match(refused('live: {dvr: some}'), /"some" is not a time from 0 to 12h/);
  t.match(refused('live: {dvr: 1500ms}'), /whole seconds, such as 30s or 1h, or whole/);
  t.match(refused('live: {dvr: 13h}'), /12h/);
  t.match(refused('grants: {keyLife: 11h}'), /"11h" is not a time from 12h to/, 'more of them than are kept');
  t.match(refused('server: {publicUrl: "ftp://x"}'), /publicUrl: "ftp:\/\/x" is not an address such as/);
  t.match(refused('trustedProxies: [loopback]'), /"loopback" is not an address or a network/);
  for (const wrong of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::1/129', '10.0.0']) t.match(refused(`trustedProxies: ['${wrong}']`), /not an address or a network/);
  for (const wrong of ['http://a.example', 'a_b.example', '-a', 'a..b', '10.0.0.256', '10.0.0.0/33', '1.2.3']) t.match(refused(`uploads: {importFrom: ['${wrong}']}`), /is not a host such as/);
  t.throws(() => loadConfig(null, { MILLRACE_DATA: ' ' }), /MILLRACE_DATA: " " is not a folder/);
  t.match(refused('disk: {warn: 99%}'), /must rise/);
  t.match(refused('a: [1'), /yaml:1:/);
  t.match(refused('- a'), /key: value/);
  t.match(refused('http: {port: 1, port: 2}'), /yaml:1:/);
  t.throws(() => loadConfig(join(folder, 'absent.yaml'), {}), { name: 'ConfigError' });
});

t.test('a password is never repeated', async (t) => {
  t.notMatch(refused('admin: {password: [hunter2hunter2]}'), /hunter/);
  t.match(refused('admin: {password: short}'), /at least 8/);
  t.match(refused('admin: {password: 0012345678}'), /put it in quotes/);
  t.match(refused(`admin: {password: ${'x'.repeat(257)}}`), /at most 256/);
  t.equal(loadConfig(null, { MILLRACE_ADMIN_PASSWORD: ' pass phrase ' }).config['admin.password'], ' pass phrase ', 'nothing is taken off');
});

t.test('an unknown variable only warns', async (t) => {
  const { warnings } = loadConfig(null, { MILLRACE_HTTP_PROT: '1', PATH: '/bin' });
  t.same(warnings, ['The variable MILLRACE_HTTP_PROT is unknown and ignored; did you mean MILLRACE_HTTP_PORT?']);
});

t.test('TLS is all there or not at all', async (t) => {
  const { config } = loadConfig(file('https: {port: off}\nrtmps: {port: 1936}\ntls: {certificate: /a.crt, key: /a.key}'), { MILLRACE_HTTPS_PORT: 'off' });
  t.match([config['https.port'], config['rtmps.port']], [null, 1936]);
  t.match(refused('rtmps: {port: 1936}\ntls: {certificate: /a.crt}'), /rtmps\.port is set, and tls\.key is not/);
  t.match(refused('https: {port: 8443}'), /https\.port is set, and tls\.certificate is not/);
  t.match(refused('https: {redirect: true}'), /https\.redirect is set, and https\.port is not/);
  t.match(refused('https: {port: open}'), /https\.port: "open" is not a whole number from 0 to 65535/);
});
