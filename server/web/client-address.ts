/**
 * Who is asking, behind proxies: the last address in X-Forwarded-For that no trusted proxy vouches for. Anybody
 * else's header is ignored, since anybody can write one.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { networkList, plainAddress } from '../networks.ts';

export type AddressOf = (request: IncomingMessage) => string;

const MOST_HOPS = 16;

// The nearest proxies write at the end: whatever a client makes up before that must not push them out.
const hopsOf = ({ headers }: IncomingMessage): string[] => {
  const header = headers['x-forwarded-for'];
  return (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').slice(-MOST_HOPS);
};

/** `proxies`: addresses or networks (10.0.0.0/8). Throws RangeError for what is neither. */
export const clientAddresses = (proxies: readonly string[]): AddressOf => {
  const isTrusted = networkList(proxies);
  return (request) => {
    let client = plainAddress(request.socket.remoteAddress ?? '');
    let hops: string[] | null = null;
    while (isTrusted(client)) {
      hops ??= hopsOf(request);
      const before = plainAddress(hops.pop() ?? '');
      if (isIP(before) === 0) break;
      client = before;
    }
    return client;
  };
};
