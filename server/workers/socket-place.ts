/**
 * Where the server's desk for workers is found: a socket in the data folder, so that whoever may work for a server is whoever
 * may read and write its media.
 *
 * The address of a socket is no path of any length: it has 108 bytes, and some systems cut what is longer (unix(7)). Where
 * the folder lies deeper than that, Linux can be told of it as a folder that is open.
 */
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';

/** The least that any system has (macOS, BSD), with the zero that ends it. */
const mostBytes = 104;
const name = 'worker.sock';

export type SocketPlace = {
  readonly address: string;
  /** As long as the address is used. */
  close(): void;
};

/** The path is too long for a socket, and nothing helps on this system. */
export class PathTooLong extends Error {
  override readonly name = 'PathTooLong';
}

/** Throws what `open` throws: the folder has to be there. */
export const socketPlace = (data: string, most = mostBytes): SocketPlace => {
  const path = join(data, name);
  if (Buffer.byteLength(path) < most) return { address: path, close: () => undefined };
  if (!existsSync('/proc/self/fd')) throw new PathTooLong(`The path of the data folder ${data} is too long for the socket that workers are met at: give it a shorter one.`);
  const folder = openSync(data, constants.O_RDONLY | constants.O_DIRECTORY);
  return { address: `/proc/self/fd/${folder}/${name}`, close: () => closeSync(folder) };
};

/**
 * From the first moment it is for this user alone: whoever came in before its mode was changed would stay. The mask is that of the
 * whole process, so it is there for this call only (which makes the socket at once), and is one that leaves folders usable.
 */
export const listenAlone = (server: Server, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    const usual = process.umask(0o077);
    try {
      server.listen(address, resolve);
    } finally {
      process.umask(usual);
    }
  });
