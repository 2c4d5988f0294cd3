/**
 * A key picture on its own: the first sample of a segment's first fragment, as a fragment that lasts as long as the
 * segment does. What an I-frame playlist names, so that who looks for a place loads a picture and not a segment.
 */
import { CmafError } from '../cmaf/cmaf-error.ts';
import { fragment } from '../cmaf/fragment.ts';
import { readFragments } from '../cmaf/reader.ts';

/** `first`: the first fragment of the segment; `duration`: the segment's, in ticks. Throws CmafError, and nothing else. */
export const keyPicture = (first: Buffer, duration: number): Buffer => {
  const [facts] = readFragments(first);
  const sample = facts?.samples[0];
  if (!facts || !sample?.key) throw new CmafError('invalid', 'a segment that does not begin with a key picture');
  const { offset, size, cts } = sample;
  const data = first.subarray(offset, offset + size);
  return Buffer.concat(
    fragment({
      sequence: facts.sequence,
      baseDecodeTime: facts.baseDecodeTime,
      kind: 'video',
      samples: [{ duration, size, key: true, compositionOffset: cts, data }],
    }),
  );
};
