/** What routes stand on. */
import type { Auth } from '../../auth/auth.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ApiConfig, ApiHooks } from '../hooks.ts';

export type Ground = { readonly catalog: Catalog; readonly auth: Auth; readonly hooks: ApiHooks; readonly config: ApiConfig };
