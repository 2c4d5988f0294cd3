/**
 * Where files are fetched from: the public internet without this machine, and what the configuration adds to it. Whoever may
 * upload can make the server ask for any address, so it must not reach what only the server can. A name is resolved here, and the
 * connection goes to an address that was judged, whatever the name means a moment later.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ImportError } from './import-error.ts';
import { isPublicAddress } from './public-address.ts';

export type Resolved = { readonly address: string; readonly family: number };
export type Resolve = (host: string) => Promise<readonly Resolved[]>;

export type GuardOptions = {
  readonly resolve?: Resolve;
  /** What the world calls this server: behind a router that translates, none of its addresses tells. */
  readonly ownHost?: string | null;
  readonly ownAddresses?: () => readonly string[];
};

/** Asked anew each time: addresses come and go. */
const ofThisMachine = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter((address) => isIP(address) !== 0 && !address.includes('%'));

const plainName = (host: string): string => host.toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '');

const bySystem: Resolve = (host) => systemLookup(host, { all: true, order: 'verbatim' });

/** Said in the same words whether there is no such name or it leads inside: a stranger learns nothing of the names here. */
const leadsNowhere = (host: string): ImportError => new ImportError(`${host} leads to no public address.`, { code: 'import-refused' });

export class SourceGuard {
  readonly #hosts = new Set<string>();
  readonly #networks = new BlockList();
  readonly #resolve: Resolve;
  readonly #ownHost: string | null;
  readonly #ownAddresses: () => readonly string[];

  /** `allowed`: names of hosts, addresses and networks besides what is public. */
  constructor(allowed: readonly string[], { resolve = bySystem, ownHost = null, ownAddresses = ofThisMachine }: GuardOptions = {}) {
    this.#resolve = resolve;
    this.#ownHost = ownHost === null ? null : plainName(ownHost);
    this.#ownAddresses = ownAddresses;
    for (const one of allowed) {
      const [address = '', bits] = one.split('/');
      const version = isIP(address);
      if (version === 0) this.#hosts.add(one.toLowerCase());
      else this.#networks.addSubnet(address, bits === undefined ? (version === 4 ? 32 : 128) : Number(bits), version === 4 ? 'ipv4' : 'ipv6');
    }
  }

  /** Everything that can be said of an address without asking anybody. Throws what is wrong with it. */
  mustBeAllowed(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new ImportError('Files are fetched over http and https only.', { code: 'import-refused' });
    if (url.username !== '' || url.password !== '') throw new ImportError('An address with a name or a password in it is not fetched from.', { code: 'import-refused' });
    const literal = literalOf(url);
    if (literal !== null && !this.permits(literal, literal)) throw leadsNowhere(literal);
  }

  /** Whether a connection to this address may be made for this host. */
  permits(host: string, address: string): boolean {
    return this.#hosts.has(plainName(host)) || this.#isNear(address) || (isPublicAddress(address) && !this.#isOwn(host, address));
  }

  /** For sockets: resolves a name to the addresses that may be connected to. */
  readonly lookup: LookupFunction = (host, { all }, answer) => {
    this.#addresses(host).then(
      ([first, ...more]) => {
        if (!first) answer(leadsNowhere(host), '', 0);
        else if (all) answer(null, [first, ...more]);
        else answer(null, first.address, first.family);
      },
      (error: Error) => answer(error, '', 0),
    );
  };

  async #addresses(host: string): Promise<Resolved[]> {
    const found = await this.#resolve(host).catch((cause: unknown) => {
      // A name server that does not answer may do so later; a name that does not exist will not.
      if (codeOf(cause) === 'ENOTFOUND') return [];
      throw new ImportError(`The address of ${host} could not be found out.`, { code: 'import-unreachable', passing: true, cause });
    });
    return found.filter(({ address }) => this.permits(host, address)).map(({ address, family }) => ({ address, family }));
  }

  /** A public address of this machine is no way around what keeps strangers from its other ports. */
  #isOwn(host: string, address: string): boolean {
    if (plainName(host) === this.#ownHost) return true;
    const own = new BlockList();
    for (const one of this.#ownAddresses()) own.addAddress(one, isIP(one) === 6 ? 'ipv6' : 'ipv4');
    return own.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  #isNear(address: string): boolean {
    const version = address.includes('%') ? 0 : isIP(address);
    return version !== 0 && this.#networks.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }
}

/** The address that stands in the place of a name; null: it is a name. All spellings of numbers are dotted ones in a URL. */
export const literalOf = ({ hostname }: URL): string | null => {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? null : bare;
};

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
