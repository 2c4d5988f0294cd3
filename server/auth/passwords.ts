/**
 * Passwords as argon2id PHC strings. The thread pool also reads media files, so at most two are hashed at once;
 * more than a bounded number waiting is refused.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Turnstile } from '../catalog/turnstile.ts';

export type Cost = { readonly memoryKiB: number; readonly passes: number; readonly lanes: number };

/** OWASP's first choice for argon2id in a login page. */
export const usualCost: Cost = { memoryKiB: 19_456, passes: 2, lanes: 1 };

const atOnce = 2;
const mostWaiting = 64;
const saltBytes = 16;
const hashBytes = 32;

type Parsed = { readonly cost: Cost; readonly salt: Buffer; readonly hash: Buffer };

const phcShape = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

const parse = (phc: string): Parsed | null => {
  const [, memory, passes, lanes, salt, hash] = phcShape.exec(phc) ?? [];
  if (salt === undefined || hash === undefined) return null;
  const cost = { memoryKiB: Number(memory), passes: Number(passes), lanes: Number(lanes) };
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
};

const hashWith = promisify(argon2);

export class Passwords {
  readonly #cost: Cost;
  readonly #turn = new Turnstile(atOnce, mostWaiting);
  #nobody: Promise<string> | null = null;
  #hashed = 0;

  constructor(cost: Cost = usualCost) {
    this.#cost = cost;
  }
  /** How many were computed: what a login costs must not tell whether the account exists. */
  get hashed(): number {
    return this.#hashed;
  }
  /** Throws TurnstileFull when too many wait. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    const hash = await this.#compute(password, salt, this.#cost, hashBytes);
    const { memoryKiB, passes, lanes } = this.#cost;
    return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(hash)}`;
  }
  /** `phc` null: there is no such account; this takes as long and says no. */
  async verify(password: string, phc: string | null): Promise<boolean> {
    const parsed = parse(phc ?? (await this.#someHash()));
    if (!parsed) return false;
    const hash = await this.#compute(password, parsed.salt, parsed.cost, parsed.hash.length);
    return timingSafeEqual(hash, parsed.hash) && phc !== null;
  }
  #someHash(): Promise<string> {
    this.#nobody ??= this.hash(randomBytes(16).toString('hex'));
    return this.#nobody;
  }
  /** Makes what `verify` needs for unknown accounts beforehand, so that the first such login takes no longer. */
  async ready(): Promise<void> {
    await this.#someHash();
  }
  #compute(password: string, nonce: Buffer, { memoryKiB, passes, lanes }: Cost, tagLength: number): Promise<Buffer> {
    // Composed form: the same password typed on a Mac and on Windows is the same bytes.
    const message = Buffer.from(password.normalize('NFC'));
    return this.#turn.during(async () => {
      this.#hashed += 1;
      return hashWith('argon2id', { message, nonce, memory: memoryKiB, passes, parallelism: lanes, tagLength });
    });
  }
}
