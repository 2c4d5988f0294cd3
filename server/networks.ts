/** Addresses and networks of addresses: which of them an address lies in. */
import { BlockList, isIP } from 'node:net';

const mappedShape = /^::ffff:(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/i;

/** An IPv4 address (or network) as a socket of both families tells it, as it is written everywhere else. */
export const plainAddress = (address: string): string => {
  const trimmed = address.trim();
  const [, v4 = '', bits] = mappedShape.exec(trimmed) ?? [];
  if (isIP(v4) !== 4) return trimmed;
  if (bits === undefined) return v4;
  // Of a mapped network the first 96 bits say that it is one; a shorter one is more than IPv4.
  return Number(bits) >= 96 ? `${v4}/${Number(bits) - 96}` : trimmed;
};

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

export type Contains = (address: string) => boolean;

/** Throws RangeError for what is neither an address nor a network. What is no address lies in none. */
export const networkList = (networks: readonly string[]): Contains => {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits, more] = plainAddress(network).split('/');
    if (isIP(address) === 0 || more !== undefined || (bits !== undefined && !/^\d+$/.test(bits))) throw new RangeError(`${JSON.stringify(network)} is neither an address nor a network`);
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
  return (address) => {
    const [bare = ''] = plainAddress(address).split('%');
    return isIP(bare) !== 0 && list.check(bare, familyOf(bare));
  };
};
