/** An account as its owner and admins see it. */
import { Type } from 'typebox';
import type { AccountRow } from '../../catalog/accounts.ts';
import type { Ground } from './ground.ts';
import { closed, iso, role, rungPolicy, time } from './shapes.ts';

const bytesOrNull = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description });

export const accountShape = Type.Object(
  {
    id: Type.String(),
    username: Type.String(),
    role,
    createdAt: time,
    used: Type.Integer({ description: 'Bytes that its videos take, or will when they have come.' }),
    quota: bytesOrNull('What was set for this account: bytes; 0: no limit; null: as the configuration says.'),
    rungs: Type.Union([rungPolicy, Type.Null()], { description: 'When rungs above the lowest are made of its videos; null: as the configuration says.' }),
    limit: bytesOrNull('Bytes that it may keep, all considered; null: no limit.'),
    maxUpload: Type.Integer({ description: 'Bytes of the largest file that is taken.' }),
  },
  closed,
);

/** Asks how much they keep, once for all of them. */
export const accountViews = async ({ catalog, config }: Pick<Ground, 'catalog' | 'config'>, accounts: readonly AccountRow[]): Promise<(account: AccountRow) => object> => {
  const used = await catalog.uploads.used(accounts.map(({ id }) => id));
  return ({ id, username, role, createdAt, quotaBytes, rungs }) => ({
    ...{ id, username, role, createdAt: iso(createdAt), used: used.get(id) ?? 0, quota: quotaBytes, rungs },
    limit: (quotaBytes ?? config.uploads.quota) || null,
    maxUpload: config.uploads.maxSize,
  });
};

export const accountView = async (ground: Pick<Ground, 'catalog' | 'config'>, account: AccountRow): Promise<object> => (await accountViews(ground, [account]))(account);
