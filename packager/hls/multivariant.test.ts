import t from 'tap';
import { readByM3u8Parser, readMultivariant as readAll } from './judges.ts';
import { multivariantPlaylist } from './multivariant.ts';
import { pictureAndSound, PretendStream, type PretendTrack } from './pretend-stream.ts';

/** Key pictures have a test of their own. */
const readMultivariant = (text: string) => {
  const read = readAll(text);
  return Object.assign(read, { variants: read.variants.filter(({ isIFrameOnly }) => !isIFrameOnly) });
};

const [picture, sound] = pictureAndSound as [PretendTrack, PretendTrack];

t.test('picture and sound: one variant, one audio group, real codecs and rates', async (t) => {
  const text = multivariantPlaylist(new PretendStream().segment().snapshot());
  const read = readMultivariant(text);
  t.equal(read.version, 9);
  t.equal(read.independentSegments, true);
  t.equal(read.variants.length, 1);
  t.match(read.variants[0], {
    uri: 'v0/index.m3u8',
    bandwidth: 6_160_000,
    averageBandwidth: 4_928_000,
    codecs: 'avc1.640028,mp4a.40.2',
    resolution: { width: 1920, height: 1080 },
    frameRate: 30,
  });
  t.match(read.variants[0]?.audio, [{ uri: 'a0/index.m3u8', groupId: 'sound', isDefault: true, autoselect: true, channels: '2' }]);
  const { manifest, complaints } = readByM3u8Parser(text);
  t.same(complaints, []);
  t.match(manifest.playlists?.[0], { uri: 'v0/index.m3u8', attributes: { AUDIO: 'sound', BANDWIDTH: 6_160_000 } });
  t.match(manifest.mediaGroups?.AUDIO['sound']?.['a0'], { uri: 'a0/index.m3u8', default: true });
});

t.test('picture alone has no group, and sound alone is a variant', async (t) => {
  const silent = readMultivariant(multivariantPlaylist(new PretendStream({ tracks: [picture] }).snapshot()));
  t.match(silent.variants, [{ uri: 'v0/index.m3u8', codecs: 'avc1.640028', bandwidth: 6_000_000, audio: [] }]);
  const radio = readMultivariant(multivariantPlaylist(new PretendStream({ tracks: [sound] }).snapshot()));
  t.equal(radio.variants.length, 1);
  t.match(radio.variants, [{ uri: 'a0/index.m3u8', codecs: 'mp4a.40.2', bandwidth: 160_000 }]);
  t.equal(radio.variants[0]?.resolution, undefined);
});

t.test('every rung stands with every audio group, and bandwidth counts the loudest of the group', async (t) => {
  const tracks: PretendTrack[] = [
    picture,
    { ...picture, id: 'v1', height: 480, bandwidth: 1_500_000 },
    { ...sound, language: 'ko', name: '한국어' },
    { ...sound, id: 'a1', language: 'en', name: '한국어', bandwidth: 200_000 },
    { ...sound, id: 'a2', group: 'small', bandwidth: 64_000 },
  ];
  const read = readMultivariant(multivariantPlaylist(new PretendStream({ tracks }).snapshot()));
  t.same(read.variants.map(({ uri, bandwidth }) => [uri, bandwidth]), [
    ['v0/index.m3u8', 6_200_000],
    ['v1/index.m3u8', 1_700_000],
    ['v0/index.m3u8', 6_064_000],
    ['v1/index.m3u8', 1_564_000],
  ]);
  t.same(read.variants[0]?.audio.map(({ name, language, isDefault }) => [name, language, isDefault]), [
    ['한국어', 'ko', true],
    ['한국어 (a1)', 'en', false],
  ]);
  t.match(read.variants[1]?.resolution, { width: 853, height: 480 });
});

t.test('a name that people chose cannot break out of its quotes', async (t) => {
  const tracks = [picture, { ...sound, name: 'x",URI="http://evil/\r\n#EXT-X-ENDLIST\u2028' }];
  const text = multivariantPlaylist(new PretendStream({ tracks }).snapshot());
  t.equal(text.match(/#EXT-X-MEDIA/g)?.length, 1);
  t.equal(readMultivariant(text).variants[0]?.audio[0]?.uri, 'a0/index.m3u8');
  t.notMatch(text, /^#EXT-X-ENDLIST/m);
});

t.test('a limited grant lists no higher rung; a channel lists what lies under the video', async (t) => {
  const tracks = [picture, { ...picture, id: 'v1', height: 480 }, sound];
  const text = multivariantPlaylist(new PretendStream({ tracks }).snapshot(), { maxHeight: 720, base: '../video-00000001/' });
  const read = readMultivariant(text);
  t.same(read.variants.map(({ uri }) => uri), ['../video-00000001/v1/index.m3u8']);
  t.equal(read.variants[0]?.audio[0]?.uri, '../video-00000001/a0/index.m3u8');
});

t.test('the range of brightness is told of pictures and key pictures alike, where it is known', async (t) => {
  const snapshot = new PretendStream().segment().snapshot();
  t.notMatch(multivariantPlaylist(snapshot), /VIDEO-RANGE/);
  const tracks = snapshot.tracks.map((track) => ({ ...track, epochs: track.epochs.map((epoch) => ({ ...epoch, videoRange: 'HLG' as const })) }));
  t.same(multivariantPlaylist({ ...snapshot, tracks }).match(/^#EXT-X-.*VIDEO-RANGE=HLG/gm)?.map((line) => line.split(':')[0]), ['#EXT-X-STREAM-INF', '#EXT-X-I-FRAME-STREAM-INF']);
  const rung = snapshot.tracks.filter(({ kind }) => kind === 'video').map((track) => ({ ...track, id: 'v1', epochs: track.epochs.map((epoch) => ({ ...epoch, videoRange: 'SDR' as const })) }));
  const beside = multivariantPlaylist({ ...snapshot, tracks: [...snapshot.tracks, ...rung] });
  t.equal(beside.match(/^#EXT-X-(STREAM|I-FRAME-STREAM)-INF/gm)?.length, beside.match(/VIDEO-RANGE=SDR/g)?.length, 'where one of them says it, all do');
});
