/** The keys that grants are signed with: which there are, another one, and no more of one that leaked. */
import { Type } from 'typebox';
import type { GrantKeyRow } from '../../catalog/grant-keys.ts';
import { Problem } from '../kit/problem.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import type { Ground } from './ground.ts';
import { closed, iso, isoOrNull, time } from './shapes.ts';

const keyShape = Type.Object(
  {
    id: Type.Integer(),
    createdAt: time,
    retiredAt: Type.Union([time, Type.Null()], { description: 'Null: it signs.' }),
    goodUntil: Type.Union([time, Type.Null()], { description: 'Until when grants that it signed are looked at.' }),
  },
  closed,
);
const view = ({ id, createdAt, retiredAt, goodUntil }: GrantKeyRow): object => ({ id, createdAt: iso(createdAt), retiredAt: isoOrNull(retiredAt), goodUntil: isoOrNull(goodUntil) });

export const grantKeyRoutes = ({ hooks }: Ground): readonly Route[] => [
  route({
    name: 'listGrantKeys',
    summary: 'The keys that grants are signed with, without the keys themselves; the newest first.',
    method: 'GET',
    path: '/grant-keys',
    auth: 'admin',
    answers: { 200: Type.Object({ items: Type.Array(keyShape) }, closed) },
    handler: async () => ({ status: 200, body: { items: hooks.grantKeys.list().map(view) } }),
  }),
  route({
    name: 'postGrantKey',
    summary: 'Signs with a new key from now on; grants that were signed before go on.',
    method: 'POST',
    path: '/grant-keys',
    auth: 'admin',
    answers: { 201: keyShape },
    problems: ['too-many-keys'],
    handler: async () => {
      const made = await hooks.grantKeys.rotate();
      if (!made) throw new Problem('too-many-keys', 'Too many keys have grants that are not over yet. Remove one first.');
      return { status: 201, body: view(made) };
    },
  }),
  route({
    name: 'deleteGrantKey',
    summary: 'Removes a key that signs no more: all grants that it signed open nothing from now on.',
    method: 'DELETE',
    path: '/grant-keys/:key',
    auth: 'admin',
    params: Type.Object({ key: Type.String({ pattern: '^[1-9][0-9]{0,4}$' }) }),
    answers: { 204: null },
    problems: ['key-in-use'],
    handler: async ({ params: { key } }) => {
      if (await hooks.grantKeys.remove(Number(key))) return { status: 204 };
      throw new Problem('key-in-use', 'There is no such key, or it is the one that signs: make another one first.');
    },
  }),
];
