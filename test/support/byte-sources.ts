/** Bytes by their place, for tests of what reads a file in ranges: out of memory, or out of a file. */
import { open } from 'node:fs/promises';
import { Mp4Error, type RangeSource } from '../../packager/mp4/movie.ts';

export const memorySource = (bytes: Buffer): RangeSource => ({
  size: bytes.length,
  async read(offset, length) {
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
      throw new Mp4Error('truncated', `bytes ${offset} to ${offset + length} of ${bytes.length}`);
    }
    return bytes.subarray(offset, offset + length);
  },
});

export const fileSource = async (path: string): Promise<RangeSource & { close(): Promise<void> }> => {
  const file = await open(path);
  const { size } = await file.stat();
  return {
    size,
    async read(offset, length) {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      if (bytesRead < length) throw new Mp4Error('truncated', `bytes ${offset} to ${offset + length} of ${size}`);
      return bytes;
    },
    close: () => file.close(),
  };
};
