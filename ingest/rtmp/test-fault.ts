/** For tests: bytes as they are written down, and which fault a parser finds in them. */
import { RtmpError } from './errors.ts';

export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

export const fault = (run: () => unknown): string => {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof RtmpError ? error.fault : String(error);
  }
};
