/**
 * Who is asking, behind proxies: the last address in X-Forwarded-For that no trusted proxy vouches for. Anybody
 * else's header is ignored, since anybody can write one.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

export type AddressOf = (request: IncomingMessage) => string;

const MOST_HOPS = 16;

const plain = (address: string): string => {
  const trimmed = address.trim();
  return trimmed.startsWith('::ffff:') && isIP(trimmed.slice(7)) === 4 ? trimmed.slice(7) : trimmed;
};

/** `proxies`: addresses or networks (10.0.0.0/8). Throws RangeError for what is neither. */
export const clientAddresses = (proxies: readonly string[]): AddressOf => {
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = plain(proxy).split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) throw new RangeError(`trustedProxies: ${JSON.stringify(proxy)} is neither an address nor a network`);
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (address: string): boolean => isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

  return (request) => {
    let client = plain(request.socket.remoteAddress ?? '');
    const header = request.headers['x-forwarded-for'];
    // The nearest proxies write at the end: whatever a client makes up before that must not push them out.
    const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').slice(-MOST_HOPS);
    while (isTrusted(client)) {
      const before = plain(hops.pop() ?? '');
      if (isIP(before) === 0) break;
      client = before;
    }
    return client;
  };
};
