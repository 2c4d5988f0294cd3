/**
 * Keys that grants are signed with. The newest signs; those before it are kept until the last grant that they signed
 * is over. They lie here sealed: a copied catalog alone signs nothing.
 */
import { randomBytes } from 'node:crypto';
import type { Ground } from './ground.ts';
import { also, must } from './ground.ts';

export type GrantKeyRow = {
  readonly id: number;
  readonly createdAt: number;
  /** Since when another one signs; null: this one does. */
  readonly retiredAt: number | null;
  /** Until when what it signed is looked at; null: it signs. */
  readonly goodUntil: number | null;
};
export type GrantKey = GrantKeyRow & { readonly secret: Buffer };

export interface GrantKeyStore {
  /** The newest first. */
  all(): Promise<readonly GrantKey[]>;
  /** A new one signs from now on; what others signed is good until then. */
  rotate(goodUntil: number): Promise<GrantKey>;
  /** Whatever it signed opens nothing any more. False: no such key, or it is the one that signs. */
  remove(id: number): Promise<boolean>;
  /** Forgets those of which no grant can be left. */
  sweep(): Promise<void>;
}

const secretBytes = 32;
/** The text of a grant has 16 bits for the number of its key. */
const numbers = 65_535;
const contextOf = (id: number): string => `grant key ${id}`;

export const createGrantKeys = ({ db, clock, vault, write }: Ground): GrantKeyStore => ({
  async all() {
    const rows = await db.selectFrom('grantKeys').selectAll().orderBy('createdAt', 'desc').orderBy('id', 'desc').execute();
    return rows.map(({ sealed, ...row }) => ({ ...row, secret: Buffer.from(vault.open('grant', contextOf(row.id), sealed), 'base64url') }));
  },
  async rotate(goodUntil) {
    const taken = new Set((await db.selectFrom('grantKeys').select('id').execute()).map(({ id }) => id));
    let id = (Math.max(0, ...taken) % numbers) + 1;
    while (taken.has(id)) id = (id % numbers) + 1;
    const secret = randomBytes(secretBytes);
    const row = { id, createdAt: clock.wall(), retiredAt: null, goodUntil: null };
    await write([
      also(db.updateTable('grantKeys').set({ retiredAt: clock.wall(), goodUntil }).where('retiredAt', 'is', null)),
      must(db.insertInto('grantKeys').values({ ...row, sealed: vault.seal('grant', contextOf(id), secret.toString('base64url')) })),
    ]);
    return { ...row, secret };
  },
  async remove(id) {
    return (await write([must(db.deleteFrom('grantKeys').where('id', '=', id).where('retiredAt', 'is not', null))])) !== null;
  },
  async sweep() {
    await db.deleteFrom('grantKeys').where('goodUntil', '<=', clock.wall()).execute();
  },
});
