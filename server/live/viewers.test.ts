import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { Viewers } from './viewers.ts';

const asks = (url: string, address: string, agent = 'player'): IncomingMessage => ({ url, socket: { remoteAddress: address }, headers: { 'user-agent': agent } }) as never;

t.test('a viewer is an address and a player that fetched a playlist lately', async (t) => {
  const clock = new FakeClock();
  const viewers = new Viewers(clock, ({ socket }) => socket.remoteAddress ?? '');
  t.teardown(() => viewers.stop());
  const playlist = '/play/-/video000/v0/index.m3u8?_HLS_msn=3';
  viewers.note(asks(playlist, '10.0.0.1'));
  viewers.note(asks('/play/-/video000/a0/index.m3u8', '10.0.0.1'));
  viewers.note(asks(playlist, '10.0.0.1', 'another'));
  viewers.note(asks(playlist, '10.0.0.2'));
  viewers.note(asks('/play/-/video000/v0/run-1.m4s', '10.0.0.3'));
  t.equal(viewers.count('video000'), 3);
  clock.advance(10_000);
  viewers.note(asks(playlist, '10.0.0.2'));
  clock.advance(10_000);
  t.equal(viewers.count('video000'), 1);
  clock.advance(60_000);
  t.equal(viewers.count('video000'), 0);
});

t.test('whatever plays it is a viewer: HLS of either kind, a cut, DASH, under any grant', async (t) => {
  const clock = new FakeClock();
  const viewers = new Viewers(clock, ({ socket }) => socket.remoteAddress ?? '');
  t.teardown(() => viewers.stop());
  const files = ['ts/v0/index.m3u8', 'cut-0-5000/v0/index.m3u8', 'cut-0-end/ts/v0/index.m3u8', 'manifest.mpd'];
  for (const [at, file] of files.entries()) viewers.note(asks(`/play/AbC-_d/video000/${file}`, `10.0.0.${at}`));
  t.equal(viewers.count('video000'), files.length);
  for (const file of ['master.m3u8', 'v0/run00000-7.m4s', 'mp4/run00000-v0.mp4']) viewers.note(asks(`/play/-/video000/${file}`, '10.0.1.1'));
  t.equal(viewers.count('video000'), files.length);
});
