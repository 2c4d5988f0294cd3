/** Cursors: where a page ended, opaque to clients. */
import { Type } from 'typebox';
import { isId } from '../../catalog/ids.ts';
import type { Page, PageRequest, Position } from '../../catalog/page.ts';
import { Problem } from './problem.ts';

const usualLimit = 50;

export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, wants: 'a whole number from 1 to 200', description: `How many at most; ${usualLimit} unless said.` })),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: 'The `cursor` of the page before.' })),
};

const encode = ({ createdAt, id }: Position): string => Buffer.from(`${createdAt}.${id}`).toString('base64url');

const decode = (cursor: string): Position => {
  const [createdAt = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('.');
  if (!/^\d{1,15}$/.test(createdAt) || !isId(id)) {
    throw new Problem('cursor-invalid', 'The `cursor` is not one that this list gave out: take it from the answer before, or leave it out to begin at the top.');
  }
  return { createdAt: Number(createdAt), id };
};

export const pageRequest = ({ limit, cursor }: { limit?: number; cursor?: string }): PageRequest => ({
  limit: limit ?? usualLimit,
  after: cursor === undefined ? null : decode(cursor),
});

export const pageAnswer = <T, V>({ items, next }: Page<T>, view: (item: T) => V): { items: V[]; cursor: string | null } => ({
  items: items.map(view),
  cursor: next ? encode(next) : null,
});
