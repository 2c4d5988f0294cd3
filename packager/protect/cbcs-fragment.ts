/**
 * A fragment of a log in `cbcs` (ISO 23001-7, 10.4): the same samples, encrypted, and in front of them which of their
 * bytes are. Of sound every block is, so nothing needs to be said about it (CMAF, ISO 23000-19, 8.2.2.1).
 */
import { box, encode, fullBox, u16, u32, u8, type Part } from '../cmaf/box.ts';
import { boxes, children, only, type BoxView } from '../cmaf/box-reader.ts';
import { readFragments, type FragmentFacts } from '../cmaf/reader-fragments.ts';
import type { SliceHeaders } from '../media/h264-slice.ts';
import { toTheEnd, type Steps } from '../progressive/steps.ts';
import type { CbcsCipher } from './cbcs-cipher.ts';
import { ProtectError } from './protect-error.ts';
import { subsamplesOf, type Subsample } from './subsamples.ts';

/** What a track needs: pictures have slices with headers, sound has none. */
export type CbcsTrack = { readonly cipher: CbcsCipher; readonly headers: SliceHeaders | null };

/** `fragments`: whole fragments one after the other, as a segment or a part has them. They are not changed. */
export const cbcsFragments = (fragments: Buffer, track: CbcsTrack): Buffer => toTheEnd(cbcsSteps(fragments, track));

/** The same in steps of a millisecond or two: a segment may have some MB. */
export function* cbcsSteps(fragments: Buffer, track: CbcsTrack): Steps<Buffer> {
  const top = boxes(fragments);
  const facts = readFragments(fragments);
  const out: Buffer[] = [];
  let next = 0;
  for (const one of top) {
    // The mdat goes with the moof in front of it; events and the like are clear.
    if (one.type === 'mdat') continue;
    const fact = one.type === 'moof' ? facts[next] : undefined;
    if (!fact) {
      out.push(fragments.subarray(one.at, one.end));
      continue;
    }
    next += 1;
    const mdat = Buffer.from(fragments.subarray(fact.mdatOffset, fact.mdatOffset + fact.mdatSize));
    const lists = yield* encryptSamples(mdat, fact, track);
    out.push(rewrite(fragments, one, lists), mdat);
  }
  return Buffer.concat(out);
}

/** Bytes of samples between two turns. */
const stepBytes = 512 * 1024;

function* encryptSamples(mdat: Buffer, { mdatOffset, samples }: FragmentFacts, { cipher, headers }: CbcsTrack): Steps<Lists> {
  const lists: Subsample[][] = [];
  let done = 0;
  for (const { offset, size } of samples) {
    const from = offset - mdatOffset;
    if (headers) lists.push(encryptPicture(mdat.subarray(from, from + size), cipher, headers));
    else cipher.whole(mdat, from, from + size);
    done += size;
    if (done < stepBytes) continue;
    done = 0;
    yield;
  }
  return headers ? lists : null;
}

type Lists = readonly (readonly Subsample[])[] | null;

const encryptPicture = (picture: Buffer, cipher: CbcsCipher, headers: SliceHeaders): Subsample[] => {
  const list = subsamplesOf(picture, headers);
  let at = 0;
  for (const { clear, protected: length } of list) {
    at += clear;
    cipher.pattern(picture, at, at + length);
    at += length;
  }
  return list;
};

/** The same moof, with the lists behind what the track fragment held. */
const rewrite = (bytes: Buffer, moof: BoxView, lists: Lists): Buffer => {
  if (!lists) return bytes.subarray(moof.at, moof.end);
  const inside = children(bytes, moof);
  const traf = only(inside, 'traf', 'moof');
  const held = children(bytes, traf);
  const trun = only(held, 'trun', 'traf');
  const senc = fullBox('senc', 0, 2, [u32(lists.length), ...lists.flatMap(listParts)]);
  const saiz = fullBox('saiz', 0, 0, [u8(0), u32(lists.length), ...lists.map((list) => u8(2 + 6 * list.length))]);
  const added = senc.size + saiz.size + saioSize;
  const before = inside.slice(0, inside.indexOf(traf));
  const behind = inside.slice(inside.indexOf(traf) + 1);
  if (behind.length > 0) throw new ProtectError('unsupported', 'a moof holds more behind its track fragment');
  const kept = held.map((one) => (one === trun ? movedRun(bytes, one, added) : bytes.subarray(one.at, one.end)));
  // From the moof to the first list: behind the header of senc, and the number of its samples (8.7.9).
  const offset = sum(before) + 8 + 8 + sum(held) + 16;
  const saio = fullBox('saio', 0, 0, [u32(1), u32(offset)]);
  const all = box('moof', [...before.map((one) => bytes.subarray(one.at, one.end)), box('traf', [...kept, senc, saiz, saio])]);
  return encode(all);
};

const saioSize = 20;

const sum = (views: readonly BoxView[]): number => views.reduce((size, { at, end }) => size + end - at, 0);

const listParts = (list: readonly Subsample[]): Part[] => [u16(list.length), ...list.flatMap(({ clear, protected: length }) => [u16(clear), u32(length)])];

/** The media begins so many bytes later. data_offset stands behind the head of the box and the number of samples. */
const movedRun = (bytes: Buffer, { at, end }: BoxView, by: number): Buffer => {
  const copy = Buffer.from(bytes.subarray(at, end));
  copy.writeInt32BE(copy.readInt32BE(16) + by, 16);
  return copy;
};
