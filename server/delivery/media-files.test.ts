import t from 'tap';
import { MediaFiles, type MediaFile } from './media-files.ts';
import { SingleFlight } from './single-flight.ts';

t.test('what waited in the line while its video was trimmed is not kept', async (t) => {
  const files = new MediaFiles(1 << 20);
  const line = new SingleFlight<MediaFile>(1);
  let go: (() => void) | undefined;
  const first = files.make('video-1/v0/a', 'video/mp4', true, () => new Promise((resolve) => (go = () => resolve(Buffer.from('a')))), line);
  const waiting = files.make('video-1/v0/b', 'video/mp4', true, async () => Buffer.from('b'), line);
  files.forget('video-1');
  go?.();
  t.equal(String((await first).body), 'a', 'who asked before is still answered');
  t.equal(String((await waiting).body), 'b');
  t.equal(files.cached('video-1/v0/a'), undefined);
  t.equal(files.cached('video-1/v0/b'), undefined);
  await files.make('video-1/v0/b', 'video/mp4', true, async () => Buffer.from('b'), line);
  t.equal(String(files.cached('video-1/v0/b')?.body), 'b');
});
