/** What cannot be protected, or not all of it: refused once and for all, or left out. */
import t, { type Test } from 'tap';
import { clipFile, clipOf, record, type Recorded } from '../../packager/mpegts/recorded.ts';
import type { TrackSnapshot } from '../../packager/snapshot.ts';
import { FakePresentation, recordedPresentation } from './fake-presentation.ts';
import { TestServer } from './test-server.ts';

const clip = await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=2'));
const recorded = await record([{ clip, until: 6000 }]);
const id = 'video-00000003';
const play = `/play/-/${id}`;
const code = (text: string): string => JSON.parse(text).code;
const { run } = recorded.snapshot;

/** The recording in `cbcs`, with each of its tracks as `tracks` says. */
const sealed = ({ snapshot, ...rest }: Recorded, tracks: (track: TrackSnapshot) => TrackSnapshot[] = (track) => [track]): Recorded => ({
  ...rest,
  snapshot: { ...snapshot, video: id, policy: { ...snapshot.policy, protection: 'cbcs' }, tracks: snapshot.tracks.flatMap(tracks) },
});

const start = async (t: Test, shown: Recorded): Promise<TestServer> => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.presentations.videos.set(id, recordedPresentation(shown));
  return server;
};

/** Pictures whose init segments are what `change` makes of them. */
const withInit = (change: (init: Buffer) => void): Recorded =>
  sealed(recorded, (track) => {
    if (track.kind !== 'video') return [track];
    const epochs = track.epochs.map((epoch) => {
      const init = Buffer.from(epoch.init);
      change(init);
      return { ...epoch, init };
    });
    return [{ ...track, epochs }];
  });

t.test('pictures whose slices cannot be read are refused as such, and told of once a file', async (t) => {
  const unread = withInit((init) => {
    // Behind the five bytes of its head, the SPS, and the number and the length of the PPS.
    const sps = init.indexOf('avcC', 0, 'latin1') + 4 + 6;
    const pps = sps + 2 + init.readUInt16BE(sps) + 3;
    init.fill(0, pps + 1, pps + 4);
  });
  const server = await start(t, unread);
  const asked = await Promise.all(Array.from({ length: 10 }, () => server.ask(`${play}/v0/${run}-1.m4s`)));
  for (const { status, text } of [...asked, await server.ask(`${play}/v0/${run}-1.m4s`)]) {
    t.equal(status, 404);
    t.equal(code(text), 'cbcs-not-carried');
  }
  t.match(server.errors, [{ name: 'ProtectError', code: 'unsupported' }], 'ten at once and one later, and one line for the operator');
  t.equal((await server.ask(`${play}/v0/${run}-2.m4s`)).status, 404);
  t.equal(server.errors.length, 2, 'another file is another matter');
  t.equal((await server.ask(`${play}/a0/${run}-1.m4s`)).status, 200);
  server.presentations.forget(id, recordedPresentation(sealed(recorded)));
  t.equal((await server.ask(`${play}/v0/${run}-1.m4s`)).status, 200, 'what is another from now on is looked at anew');
});

t.test('so are init segments', async (t) => {
  const server = await start(t, withInit((init) => void init.write('avc3', init.lastIndexOf('avc1', undefined, 'latin1'), 'latin1')));
  for (let ask = 0; ask < 3; ask++) {
    const { status, text } = await server.ask(`${play}/v0/${run}-i0.mp4`);
    t.equal(status, 404);
    t.equal(code(text), 'cbcs-not-carried');
  }
  t.equal(server.errors.length, 1);
});

t.test('media that is not what it should be is damaged, and told of once', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.presentations.add(new FakePresentation({ video: id })).do((stream) => stream.segments(8));
  const plain = video.snapshot.bind(video);
  video.snapshot = () => ({ ...plain(), policy: { ...plain().policy, protection: 'cbcs' } });
  for (let ask = 0; ask < 3; ask++) {
    const { status, text } = await server.ask(`${play}/v0/k3v9x0a2b7-3.m4s`);
    t.equal(status, 404);
    t.equal(code(text), 'damaged');
  }
  t.equal(server.errors.length, 1);
  t.equal(video.reads.length, 1, 'nor is it read again');
});
