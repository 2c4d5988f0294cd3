/** A private show on the pages, in a real Chromium: its owner watches it live and later; for a visitor there is nothing. */
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { badge, plays, signIn, unexpected } from './support/web-app.ts';

type Seen = { readonly live: { readonly videoId: string } | null };

const source = await clip({ bframes: 2 });
const server = await startServer();
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());
const english = { locale: 'en-US', viewport: { width: 1440, height: 900 } };

t.test('the owner of a private show watches it and its recording; a visitor is told that there is no such thing', async (t) => {
  const token = await server.login();
  const channel = await server.createChannel(token, { name: 'quiet', title: 'Behind the mill', visibility: 'private' });
  const owner = await openPage(browser, english);
  t.teardown(() => owner.context.close());
  await signIn(owner.page, server.origin, adminPassword);
  const asked: string[] = [];
  owner.page.on('request', (request) => void asked.push(request.url()));
  await owner.page.goto(`${server.origin}/@quiet`);
  await owner.page.getByRole('heading', { name: 'Not live yet' }).waitFor();

  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await badge(owner.page, 'live').waitFor();
  t.equal((await plays(owner.page, 2)).count, 1);
  const { live } = await server.must<Seen>('GET', `channels/${channel.id}`, undefined, token);
  const media = asked.filter((url) => url.includes('/play/') && !url.endsWith('/play/time'));
  t.ok(media.length > 0 && media.every((url) => new RegExp(`/play/[A-Za-z0-9_-]{108}/${live?.videoId}/`).test(url)), 'all of it by the grant, and nothing without');

  const visitor = await openPage(browser, english);
  t.teardown(() => visitor.context.close());
  await visitor.page.goto(`${server.origin}/@quiet`);
  await visitor.page.getByRole('heading', { name: 'There is no such channel' }).waitFor();
  await visitor.page.goto(`${server.origin}/watch/${live?.videoId}`);
  await visitor.page.getByRole('heading', { name: 'There is no such video' }).waitFor();
  await visitor.page.goto(server.origin);
  await visitor.page.getByRole('main').waitFor();
  t.equal(await visitor.page.getByText('Behind the mill').count(), 0, 'it is listed nowhere');

  await sender.stop();
  await owner.page.getByRole('heading', { name: 'The broadcast has ended' }).waitFor();
  await owner.page.goto(`${server.origin}/watch/${live?.videoId}`);
  const replay = await plays(owner.page, 1);
  t.ok(replay.duration > 2 && replay.duration < 60, `the recording lasts ${replay.duration} s`);
  await visitor.page.goto(`${server.origin}/watch/${live?.videoId}`);
  await visitor.page.getByRole('heading', { name: 'There is no such video' }).waitFor();

  await server.must('PATCH', `videos/${live?.videoId}`, { visibility: 'unlisted' }, token);
  await until(async () => (await fetch(`${server.origin}/play/-/${live?.videoId}/master.m3u8`)).status, (status) => status === 200);
  await visitor.page.reload();
  await plays(visitor.page, 1);
  t.same(owner.complaints, []);
  t.same(unexpected(visitor.complaints, /status of 404/), []);
});
