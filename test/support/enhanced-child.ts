/**
 * FFmpeg 8.1 (node-av) as a sender of Enhanced RTMP, in a process of its own: what is installed speaks plain RTMP only.
 *
 *     node enhanced-child.ts FILE rtmp://…  [times faster than it plays]
 *
 * Copies the packets of a file. Says `sent` and leaves when all of them have gone.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Demuxer } from 'node-av/api';
import { AVIO_FLAG_WRITE } from 'node-av/constants';
import { FFmpegError, FormatContext, IOContext, type Stream } from 'node-av/lib';

const [, , file = '', url = '', speed = '1'] = process.argv;
const input = await Demuxer.open(file);
const output = new FormatContext();
FFmpegError.throwIfError(output.allocOutputContext2(null, 'flv', url));
FFmpegError.throwIfError(output.setOption('flvflags', 'no_duration_filesize'));
const pairs = new Map<number, { readonly from: Stream; readonly to: Stream }>();
for (const from of input.streams) {
  const to = output.newStream();
  FFmpegError.throwIfError(from.codecpar.copy(to.codecpar));
  to.codecpar.codecTag = 0; // that of the file means nothing in FLV
  to.timeBase = from.timeBase;
  pairs.set(from.index, { from, to });
}
// The library's own muxer never closes what it has opened: the sender would go without a word.
const wire = new IOContext();
FFmpegError.throwIfError(await wire.open2(url, AVIO_FLAG_WRITE));
output.pb = wire;
FFmpegError.throwIfError(await output.writeHeader());

const began = performance.now();
for await (const packet of input.packets()) {
  const pair = packet && pairs.get(packet.streamIndex);
  if (!pair) continue;
  const { num, den } = pair.from.timeBase;
  const early = began + (Number(packet.dts) * num * 1000) / den / Number(speed) - performance.now();
  if (early > 5) await wait(early);
  packet.rescaleTs(pair.from.timeBase, pair.to.timeBase);
  packet.streamIndex = pair.to.index;
  FFmpegError.throwIfError(await output.interleavedWriteFrame(packet));
  packet.free();
}
FFmpegError.throwIfError(await output.writeTrailer());
output.pb = null;
FFmpegError.throwIfError(await wire.closep());
process.stdout.write('sent\n');
