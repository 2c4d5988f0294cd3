/** A file on the disk as a source of ranges: one open file, however many tracks are read out of it. */
import type { DiskFile } from '../log/types.ts';
import { Mp4Error, type RangeSource } from './movie.ts';

/** `has`: which bytes have arrived; without it, all of them. `size`: of the whole file. */
export const diskSource = (file: Pick<DiskFile, 'read'>, size: number, has: (from: number, to: number) => boolean = () => true): RangeSource => ({
  size,
  async read(offset, length) {
    const end = offset + length;
    if (end > size) throw new Mp4Error('truncated', `bytes ${offset} to ${end} of a file of ${size}`);
    if (!has(offset, end)) throw new Mp4Error('not-yet', `bytes ${offset} to ${end} have not arrived`);
    const bytes = await file.read(offset, length);
    if (bytes.length < length) throw new Mp4Error('truncated', `the file ends before byte ${end}`);
    return bytes;
  },
});
