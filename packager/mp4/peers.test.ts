/** Files that ffmpeg makes, indexed by us, judged by ffprobe and by mp4box: every sample's place, size, times and flag. */
import { readFile } from 'node:fs/promises';
import { createFile, MP4BoxBuffer, type Sample } from 'mp4box';
import t from 'tap';
import { encoded, probe } from '../../test/support/encoded.ts';
import { fileSource } from '../../test/support/byte-sources.ts';
import { hevcCodecString, parseHevcConfig } from '../media/hevc-config.ts';
import type { Movie, MovieTrack } from './movie.ts';
import { parseMovie } from './parse.ts';

const picture = (rate = '30', seconds = 3) => ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${rate}:duration=${seconds}`];
const tone = (seconds = 3) => ['-f', 'lavfi', '-i', `sine=440:duration=${seconds}:sample_rate=48000`];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '30'];
const both = [...picture(), ...tone(), ...x264, '-c:a', 'aac'];

const words = '1\n00:00:00,500 --> 00:00:01,000\nHello\n\n2\n00:00:01,500 --> 00:00:02,500\nyou\n';

const clips: Record<string, readonly [extension: string, args: readonly string[]]> = {
  'B-frames and priming': ['mp4', [...both, '-bf', '2']],
  'a B-pyramid': ['mp4', [...picture(), ...x264, '-bf', '3', '-x264-params', 'b-pyramid=normal:b-adapt=0']],
  '29.97 a second': ['mp4', [...picture('30000/1001'), ...x264]],
  'a rate that varies': ['mp4', [...picture(), '-vf', "select='not(mod(n,7))+not(mod(n,5))+not(mod(n,2))'", '-fps_mode', 'vfr', '-video_track_timescale', '90000', ...x264]],
  'negative composition offsets': ['mp4', [...both, '-bf', '2', '-movflags', 'negative_cts_offsets']],
  QuickTime: ['mov', [...both, '-movflags', 'faststart']],
  'QuickTime with uncompressed sound': ['mov', [...picture(), ...tone(), ...x264, '-c:a', 'pcm_s16le']],
  'the moov first': ['mp4', [...both, '-movflags', 'faststart']],
  'a sound that begins later': ['mp4', [...picture(), '-itsoffset', '0.7', ...tone(), ...x264, '-c:a', 'aac']],
  'a picture that begins later': ['mp4', ['-itsoffset', '0.5', ...picture(), ...tone(), ...x264, '-c:a', 'aac']],
  'several sounds': ['mp4', [...picture(), ...tone(), ...tone(2), '-map', '0', '-map', '1', '-map', '2', ...x264, '-c:a:0', 'aac', '-c:a:1', 'ac3', '-metadata:s:a:0', 'language=kor', '-metadata:s:a:1', 'language=ger', '-disposition:a:1', '0']],
  Opus: ['mp4', [...tone(), '-c:a', 'libopus']],
  'no picture': ['m4a', [...tone(), '-c:a', 'aac', '-ac', '6']],
  'fragments that count from their moof': ['mp4', [...both, '-bf', '2', '-movflags', 'frag_keyframe+empty_moov+default_base_moof']],
  'fragments that count from the file, the first of them in the moov': ['mp4', [...both, '-bf', '2', '-movflags', 'frag_keyframe']],
  'a fragment for every frame': ['mp4', [...both, '-bf', '2', '-movflags', 'frag_every_frame+empty_moov+separate_moof+delay_moov']],
  'fragments of CMAF': ['mp4', [...both, '-bf', '2', '-frag_duration', '700000', '-movflags', 'cmaf+empty_moov']],
  'a time code': ['mov', [...picture(), ...x264, '-timecode', '01:02:03:04']],
  'words, and a picture on its side': ['mp4', [...picture(), '-f', 'srt', '-i', `data:text/plain;base64,${Buffer.from(words).toString('base64')}`, ...x264, '-c:s', 'mov_text', '-metadata:s:v', 'rotate=90', '-metadata:s:s', 'language=fre']],
  HEVC: ['mp4', [...picture('30', 2), '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=30']],
}; // prettier-ignore

type Packet = { codec_type: string; stream_index: number; pts: number; dts: number; size: string; pos: string; flags: string };

const indexed = async (path: string): Promise<Movie> => {
  const source = await fileSource(path);
  try {
    return await parseMovie(source);
  } finally {
    await source.close();
  }
};

/**
 * Of one track, in the words of ffprobe, which knows no negative offsets: it moves decode times back by the largest of
 * them, and of fragments it moves what is shown ahead.
 */
const told = ({ samples }: MovieTrack, fragmented: boolean) => {
  const { count, offset, size, dts, cts, key } = samples.rows(0, samples.count);
  const shift = Math.max(0, ...cts.map((offset) => -offset));
  const [shown, decoded] = fragmented ? [shift, 0] : [0, -shift];
  return Array.from({ length: count }, (_, i) => {
    const time = dts[i] ?? 0;
    return [time + (cts[i] ?? 0) + shown, time + decoded, size[i], offset[i], key[i] === 1];
  });
};

/** The codec and the samples of each track as mp4box has them. */
const byMp4box = async (path: string): Promise<Map<number, { readonly codec: string; readonly samples: readonly Sample[] }>> => {
  const file = createFile(true);
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(await readFile(path)).buffer, 0), true);
  file.flush();
  return new Map(file.getInfo().tracks.map(({ id, codec }) => [id, { codec, samples: file.getTrackSamplesInfo(id) }]));
};

const inItsWords = ({ samples }: MovieTrack) => {
  const { count, offset, size, dts, cts, key } = samples.rows(0, samples.count);
  return Array.from({ length: count }, (_, i) => [offset[i], size[i], dts[i], (dts[i] ?? 0) + (cts[i] ?? 0), key[i] === 1]);
};

for (const [name, [extension, args]] of Object.entries(clips)) {
  t.test(`${name}: every sample as ffprobe and mp4box see it`, async (t) => {
    const path = await encoded(extension, args);
    const movie = await indexed(path);
    // Without edit lists: what the tables say, and not what of it is shown.
    const { packets } = (await probe(path, '-ignore_editlist', '1', '-show_packets')) as { packets: Packet[] };
    const streams = [...new Set(packets.map(({ stream_index }) => stream_index))].sort();
    t.equal(movie.tracks.length, streams.length);
    const judged = await byMp4box(path);
    for (const [i, track] of movie.tracks.entries()) {
      const own = packets.filter(({ stream_index }) => stream_index === i);
      if (track.fourcc === 'sowt') {
        t.throws(() => track.samples.rows(0, 1), { code: 'unsupported' });
        t.equal(track.samples.duration, 3 * 48_000);
        continue;
      }
      t.same(told(track, movie.fragmented), own.map(({ pts, dts, size, pos, flags }) => [pts, dts, Number(size), Number(pos), flags.startsWith('K')]));
      // mp4box takes the time of a track fragment for that of each of its neighbours, where every frame has one.
      if (name === 'a fragment for every frame') continue;
      const other = judged.get(track.id);
      if (track.kind === 'video' && track.codec === 'hevc') {
        // The same behind the four letters, which say where parameter sets may stand.
        t.equal(hevcCodecString(parseHevcConfig(track.config)).slice(4).toLowerCase(), other?.codec.slice(4).toLowerCase());
      }
      t.same(inItsWords(track), other?.samples.map(({ offset, size, dts, cts, is_sync }) => [offset, size, dts, cts, is_sync]));
    }
    t.equal(movie.weight, movie.tracks.reduce((sum, { samples }) => sum + samples.weight, 0));
  });
}
