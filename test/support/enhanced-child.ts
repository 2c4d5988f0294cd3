/**
 * FFmpeg 8.1 (node-av) as a sender of Enhanced RTMP, in a process of its own: what is installed speaks plain RTMP only.
 *
 *     node enhanced-child.ts FILE rtmp://… CODECS      what it says of itself in `connect`, as in `hvc1,av01`
 *
 * Copies the packets of a file as fast as they play, again and again, with stamps that go on. SIGTERM ends it where the next
 * group of pictures would begin; then it says what it has sent, as JSON.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Demuxer } from 'node-av/api';
import { FFmpegError, FormatContext, type Packet, type Stream } from 'node-av/lib';
import { AVMEDIA_TYPE_VIDEO } from 'node-av/constants';

/** Every clip lasts as long (clips.ts). */
const clipMs = 8_000;

const [, , file = '', url = '', codecs = ''] = process.argv;
const asked = { toStop: false };
process.once('SIGTERM', () => (asked.toStop = true));

// `tee` hands options on to the protocol, and closes what it has opened: the sender says goodbye.
const output = new FormatContext();
const slave = `[f=flv:flvflags=no_duration_filesize:rtmp_enhanced_codecs=${codecs}]${url}`;
FFmpegError.throwIfError(output.allocOutputContext2(null, 'tee', slave));

const first = await Demuxer.open(file);
const tracks = first.streams.map((from) => {
  const to = output.newStream();
  FFmpegError.throwIfError(from.codecpar.copy(to.codecpar));
  to.codecpar.codecTag = 0; // that of the file means nothing in FLV
  to.timeBase = from.timeBase;
  return { to, kind: from.codecpar.codecType === AVMEDIA_TYPE_VIDEO ? ('video' as const) : ('audio' as const), last: Number.NEGATIVE_INFINITY };
});
FFmpegError.throwIfError(await output.writeHeader());

const sent = { video: 0, audio: 0 };
const began = performance.now();

/** False: it is over. `shiftMs`: of this round. */
const send = async (packet: Packet, { timeBase }: Stream, shiftMs: number): Promise<boolean> => {
  const track = tracks[packet.streamIndex];
  if (!track) return true;
  if (asked.toStop && track.kind === 'video' && packet.isKeyframe) return false;
  const shift = Math.round((shiftMs * timeBase.den) / (1000 * timeBase.num));
  const dts = Number(packet.dts) + shift;
  // The run-up of Opus, which the round before has played.
  if (dts <= track.last) return true;
  track.last = dts;
  const early = began + (dts * timeBase.num * 1000) / timeBase.den - performance.now();
  if (early > 5) await wait(early);
  packet.dts = BigInt(dts);
  packet.pts += BigInt(shift);
  packet.rescaleTs(timeBase, track.to.timeBase);
  sent[track.kind] += 1;
  FFmpegError.throwIfError(await output.interleavedWriteFrame(packet));
  return true;
};

const play = async (input: Demuxer, shiftMs: number): Promise<boolean> => {
  for await (const packet of input.packets()) {
    const from = packet && input.streams[packet.streamIndex];
    if (!packet || !from) continue;
    const more = await send(packet, from, shiftMs);
    packet.free();
    if (!more) return false;
  }
  return true;
};

for (let round = 0, input = first; await play(input, round * clipMs); round += 1) {
  await input.close();
  input = await Demuxer.open(file);
}
FFmpegError.throwIfError(await output.writeTrailer());
process.stdout.write(JSON.stringify(sent));
process.exit(0);
