import t from 'tap';
import { addressBanner } from './banner.ts';
import type { Config } from './config/settings.ts';

const said = (...names: string[]): string => {
  const config = { 'server.publicUrl': '', 'https.redirect': true } as Config;
  return addressBanner({ config, names, ports: { http: 80, https: 443, rtmp: 1935, rtmps: null, srt: 9710 } }, { ffmpeg: '8.0', sandbox: 'on', refused: null });
};

t.test('the server is where its certificate says, if that is a name', (t) => {
  t.match(said('*.example.org', '2001:db8::1', 'video.example.org'), 'https://video.example.org ');
  for (const name of ['My Company Server', '*.example.org', '2001:db8::1', 'Company/Server', 'me@home', 'a b', '%', '']) t.match(said(name), 'https://localhost ', name);
  t.match(said(), 'https://localhost ');
  t.end();
});
