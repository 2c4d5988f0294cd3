/** How many connections one client address may hold: generous, since proxies and carriers put thousands behind one. */
import type { Socket } from 'node:net';

export class ConnectionCount {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(mostPerAddress: number) {
    this.#most = mostPerAddress;
  }

  /** Counts the socket until it closes; false: it is one too many and has been closed. */
  take(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const count = (this.#counts.get(address) ?? 0) + 1;
    if (count > this.#most) {
      socket.destroy();
      return false;
    }
    this.#counts.set(address, count);
    socket.once('close', () => {
      const left = (this.#counts.get(address) ?? 1) - 1;
      if (left > 0) this.#counts.set(address, left);
      else this.#counts.delete(address);
    });
    return true;
  }
}
