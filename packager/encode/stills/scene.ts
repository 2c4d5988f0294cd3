/** A little of a video as it moves: the access units from a key picture on, decoded, and as many pictures a second as a preview has. */
import { readFragments } from '../../cmaf/reader.ts';
import type { TrackLogReader } from '../../log/types.ts';
import type { KeyMoment } from '../../pictures/moments.ts';
import type { Size } from '../../pictures/storyboard.ts';
import { stillTimescale } from './command.ts';
import { decode, readable, stillSource, type Sample, type StillBench } from './take.ts';

/** What is fed to show a second of it: more than any lowest rung has, and than most originals. */
const mostBytes = 32 * 2 ** 20;
const mostSamples = 400;

/** `count` pictures at `rate` a second; fewer where there are no more, empty where it cannot be decoded. */
export const takeScene = async (bench: StillBench, reader: TrackLogReader, { seq, epoch }: KeyMoment, size: Size, count: number, rate: number): Promise<Buffer[]> => {
  const source = stillSource(reader.snapshot(), epoch);
  if (!source) return [];
  const samples = await samplesFrom(reader, seq, epoch, (count / rate) * stillTimescale);
  if (samples.length === 0) return [];
  const pictures = [...(await decode(bench, source, samples, size))].toSorted(([a], [b]) => a - b);
  const last = pictures.at(-1)?.[0] ?? -1;
  const chosen: Buffer[] = [];
  for (let index = 0; index < count && (index * stillTimescale) / rate <= last; index += 1) {
    const wanted = (index * stillTimescale) / rate;
    const picture = pictures.findLast(([at]) => at <= wanted) ?? pictures[0];
    if (picture) chosen.push(picture[1]);
  }
  return chosen;
};

/** In the order of decoding, times in thousandths from the key picture's on. What is shown ahead of it hangs on pictures that are not there. */
const samplesFrom = async (reader: TrackLogReader, first: number, epoch: number, length: number): Promise<Sample[]> => {
  const { end, entry, epochs } = reader.snapshot();
  const timescale = epochs.find((one) => one.epoch === epoch)?.timescale ?? 1;
  const samples: Sample[] = [];
  let start: number | null = null;
  let bytes = 0;
  for (let seq = first; seq < end; seq += 1) {
    const { epoch: itsEpoch, gap, size } = entry(seq);
    if (itsEpoch !== epoch || gap || size === 0 || bytes + size > mostBytes) break;
    const found = await readable(async () => {
      const [fragment] = await reader.read(seq, seq + 1);
      const [facts] = fragment ? readFragments(fragment) : [];
      return fragment && facts ? { fragment, facts } : null;
    });
    if (!found) break;
    const { fragment, facts } = found;
    bytes += size;
    let time = facts.baseDecodeTime;
    for (const { duration, cts, key, offset, size: itsSize } of facts.samples) {
      start ??= time + cts;
      const pts = Math.round(((time + cts - start) * stillTimescale) / timescale);
      const dts = ((time - start) * stillTimescale) / timescale;
      if (dts > length || samples.length >= mostSamples) return samples;
      if (pts >= 0) samples.push({ pts, key, data: Buffer.from(fragment.subarray(offset, offset + itsSize)) });
      time += duration;
    }
  }
  return samples;
};
