/**
 * How often one may try to log in. Three counts, each taken before the password is looked at (so trying many at
 * once gains nothing) and given back when it was right: one for an account from one address, tight; one for an
 * address; and one for an account from everywhere, wide, so that a stranger can slow its owner down but hardly
 * lock him out.
 */
import type { Clock } from '../../packager/clock.ts';
import { clientKey } from './address.ts';
import { TokenBuckets } from './buckets.ts';

export type LoginAttempt = { readonly wait: number } | { readonly wait: 0; readonly succeeded: () => void };

export const loginRules = {
  pair: { burst: 6, refillMs: 60_000 },
  address: { burst: 30, refillMs: 10_000 },
  account: { burst: 100, refillMs: 5_000 },
};

export class LoginThrottle {
  readonly #pair: TokenBuckets;
  readonly #address: TokenBuckets;
  readonly #account: TokenBuckets;

  constructor(clock: Clock, mostKeys = 20_000) {
    this.#pair = new TokenBuckets(loginRules.pair, clock, mostKeys);
    this.#address = new TokenBuckets(loginRules.address, clock, mostKeys);
    this.#account = new TokenBuckets(loginRules.account, clock, mostKeys);
  }
  /** `account`: as it is compared, whether or not there is one. */
  attempt(account: string, address: string): LoginAttempt {
    const client = clientKey(address);
    const counts: readonly (readonly [TokenBuckets, string])[] = [
      [this.#pair, `${client} ${account}`],
      [this.#address, client],
      [this.#account, account],
    ];
    const taken: (readonly [TokenBuckets, string])[] = [];
    const giveBack = (): void => {
      for (const [buckets, key] of taken) buckets.giveBack(key);
    };
    for (const count of counts) {
      const [buckets, key] = count;
      const wait = buckets.take(key);
      if (wait > 0) {
        giveBack();
        return { wait };
      }
      taken.push(count);
    }
    return { wait: 0, succeeded: giveBack };
  }
  get size(): number {
    return this.#pair.size + this.#address.size + this.#account.size;
  }
}
