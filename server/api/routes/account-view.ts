/** An account as its owner and admins see it. */
import { Type } from 'typebox';
import type { AccountRow } from '../../catalog/accounts.ts';
import { closed, iso, role, time } from './shapes.ts';

export const accountShape = Type.Object({ id: Type.String(), username: Type.String(), role, createdAt: time }, closed);

export const accountView = ({ id, username, role, createdAt }: AccountRow): object => ({ id, username, role, createdAt: iso(createdAt) });
