/** What the proxies of conf/deploy write down: no address in a log opens a private video, or writes to an upload. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../conf/deploy', name), 'utf8');
const grant = `AgAB${'x-_9'.repeat(26)}`;

type Mask = (address: string) => string;

/** `map` blocks as nginx reads them: the first expression that fits decides; else what stands for `default`. */
const nginxMask = (conf: string): Mask => {
  const block = (to: string): Mask => {
    const [, after = ''] = conf.split(` $${to} {\n`);
    const [body = ''] = after.split('\n}');
    const rules = [...body.matchAll(/^ +'~(.+)' (\S+);$/gm)].map(([, pattern = '', into = '']) => [new RegExp(pattern), into] as const);
    t.ok(rules.length > 0, `nginx.conf has rules for $${to}`);
    return (address) => {
      for (const [pattern, into] of rules) {
        const found = pattern.exec(address);
        if (found) return into.replace(/\$\{?(\w+)\}?/g, (_all, name: string) => found.groups?.[name] ?? '');
      }
      return address;
    };
  };
  const [path, uri] = [block('millrace_path'), block('millrace_uri')];
  return (address) => uri(path(address));
};

const caddyMask = (conf: string): Mask => {
  const [, pattern = '', into = ''] = /request>uri regexp "(.+)" "(.+)"/.exec(conf) ?? [];
  t.ok(pattern, 'the Caddyfile has an expression');
  return (address) => address.replace(new RegExp(pattern, 'g'), into.replace(/\$\{(\d)\}/g, '$$$1'));
};

const nginx = read('nginx.conf');
const masks: [string, Mask][] = [['nginx', nginxMask(nginx)], ['Caddy', caddyMask(read('Caddyfile'))]];

t.test('grants and tokens are not written down, and what else is asked for is', async (t) => {
  for (const [proxy, mask] of masks) {
    for (const address of [
      `/play/${grant}/b27pp67vwmr07r9f/master.m3u8?start=1`,
      `/play/${grant}/@mill/master.m3u8`,
      `/play/${grant}`,
      `/watch/b27pp67vwmr07r9f?grant=${grant}`,
      `/watch/b27pp67vwmr07r9f?t=4&grant=${grant}&in=4`,
      `/watch/b27pp67vwmr07r9f?grant=${grant}&grant=${grant}`,
      `/api/v1/videos/b27pp67vwmr07r9f?grant=${grant}`,
      `/upload/${grant}/parts/3`,
    ]) {
      const written = mask(address);
      t.notMatch(written, /x-_9/, `${proxy}: ${address}`);
      t.match(written, /GRANT|TOKEN|SECRET/);
    }
    for (const open of ['/', '/play/-/b27pp67vwmr07r9f/v0/index.m3u8?_HLS_msn=5', '/watch/b27pp67vwmr07r9f?t=5', '/studio?mygrant=1']) t.equal(mask(open), open, proxy);
  }
});

t.test('nginx writes its log in that form alone', async (t) => {
  const servers = nginx.split(/^server \{$/m).slice(1);
  t.equal(servers.length, 2);
  for (const server of servers) t.match(server, /access_log \S+ millrace;/, 'that which only leads to HTTPS too');
  t.notMatch(/log_format millrace .*/.exec(nginx)?.[0] ?? '', /\$request\b|\$request_uri|\$uri|\$args|\$http_referer/);
});
