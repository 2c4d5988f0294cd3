/**
 * The keys that grants are signed with, in memory. A new one signs when the last one has done so for long enough, or when
 * an admin says so; what older ones signed stays good until it expires.
 */
import type { Clock } from '../../packager/clock.ts';
import type { GrantKey, GrantKeyRow, GrantKeyStore } from '../catalog/grant-keys.ts';
import type { SigningKey } from './grant-token.ts';

/** No grant is made for longer. */
export const longestGrantMs = 366 * 86_400_000;
/** With one a day, more than a year of them are kept. */
export const mostKeys = 1_000;
const lookEveryMs = 3_600_000;

export type GrantKeysOptions = {
  readonly store: GrantKeyStore;
  readonly clock: Clock;
  /** How long one signs. */
  readonly signsForMs: number;
  readonly failed: (error: unknown) => void;
};

export class GrantKeys {
  readonly #o: GrantKeysOptions;
  /** By number, the newest first. */
  #keys: ReadonlyMap<number, GrantKey>;
  #signing: GrantKey;
  #cancel: () => void = () => undefined;
  #removals = 0;
  #rotating: Promise<GrantKey> | null = null;

  private constructor(options: GrantKeysOptions, keys: readonly GrantKey[], signing: GrantKey) {
    this.#o = options;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#signing = signing;
  }

  /** The first start makes the first key. */
  static async open(options: GrantKeysOptions): Promise<GrantKeys> {
    const known = await options.store.all();
    const signing = known.find(({ retiredAt }) => retiredAt === null) ?? (await options.store.rotate(0));
    const keys = new GrantKeys(options, known.includes(signing) ? known : [signing, ...known], signing);
    await keys.#rotateWhenDue();
    keys.#lookLater();
    return keys;
  }

  /** Counts up when what was genuine before is not any more. */
  get removals(): number {
    return this.#removals;
  }

  get signing(): SigningKey {
    return this.#signing;
  }

  readonly find = (id: number): Buffer | null => {
    const key = this.#keys.get(id);
    return key && (key.goodUntil === null || key.goodUntil > this.#o.clock.wall()) ? key.secret : null;
  };

  list(): readonly GrantKeyRow[] {
    return [...this.#keys.values()].map(({ secret: _secret, ...row }) => row);
  }

  /** Null: too many are in use still. */
  async rotate(): Promise<GrantKeyRow | null> {
    // Those of which no grant is left have gone from the store by themselves.
    if (this.#keys.size >= mostKeys) await this.#reload();
    if (this.#keys.size >= mostKeys) return null;
    // Whoever asks at the same time gets the same new key.
    const { secret: _secret, ...row } = await (this.#rotating ??= this.#rotate().finally(() => (this.#rotating = null)));
    return row;
  }

  /** Whatever it signed opens nothing any more. False: no such key, or it is the one that signs. */
  async remove(id: number): Promise<boolean> {
    const done = await this.#o.store.remove(id);
    await this.#reload();
    this.#removals += 1;
    return done;
  }

  stop(): void {
    this.#cancel();
  }

  async #rotate(): Promise<GrantKey> {
    const key = await this.#o.store.rotate(this.#o.clock.wall() + longestGrantMs);
    // What it signs from now on may be shown to us before all keys have been read again.
    this.#keys = new Map([[key.id, key], ...this.#keys]);
    this.#signing = key;
    await this.#reload();
    return key;
  }

  async #reload(): Promise<void> {
    const known = (await this.#o.store.all()).map((key) => [key.id, key] as const);
    // Read before another one began to sign, it would lack that one.
    this.#keys = new Map([[this.#signing.id, this.#signing], ...known]);
  }

  async #rotateWhenDue(): Promise<void> {
    if (this.#signing.createdAt + this.#o.signsForMs > this.#o.clock.wall()) return;
    if ((await this.rotate()) === null) this.#o.failed(new Error(`${mostKeys} keys have grants that are not over: the last one signs on until one is removed`));
  }

  #lookLater(): void {
    this.#cancel = this.#o.clock.after(lookEveryMs, () => {
      this.#rotateWhenDue().catch(this.#o.failed);
      this.#lookLater();
    });
  }
}
