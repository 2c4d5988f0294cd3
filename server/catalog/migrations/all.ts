/** All migrations, in order. */
import type { Migration } from './migration.ts';
import { first } from './001-first.ts';
import { second } from './002-views.ts';
import { third } from './003-uploads.ts';
import { ingestReports } from './004-ingest-reports.ts';
import { senders } from './005-senders.ts';
import { grants } from './006-grants.ts';
import { protection } from './007-protection.ts';
import { names } from './008-names.ts';
import { pipelines } from './009-pipelines.ts';
import { pictures } from './010-pictures.ts';
import { rungCosts } from './011-rung-costs.ts';
import { plannings } from './012-plannings.ts';

export const migrations: readonly Migration[] = [first, second, third, ingestReports, senders, grants, protection, names, pipelines, pictures, rungCosts, plannings];
