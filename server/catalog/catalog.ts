/**
 * The catalog: everything that the server knows besides media. Opening it takes the data folder for this process,
 * brings the tables up to date, and checks that the master key is the one it was made with.
 */
import { mkdir } from 'node:fs/promises';
import { Kysely } from 'kysely';
import type { Clock } from '../../packager/clock.ts';
import { createAccounts, type AccountStore } from './accounts.ts';
import { createAnswers, type AnswerStore } from './answers.ts';
import { createChannels, type ChannelStore } from './channels.ts';
import { threadDialect } from './dialect.ts';
import { CatalogError } from './errors.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Ground } from './ground.ts';
import { createJobs } from './jobs.ts';
import { createIngestReports, type IngestReportStore } from './ingest-reports.ts';
import { createGrantKeys, type GrantKeyStore } from './grant-keys.ts';
import { createGrants, type GrantStore } from './grants.ts';
import { createLinks, type LinkStore } from './links.ts';
import { createMediaSecrets, type MediaSecretStore } from './media-secrets.ts';
import { migrate } from './migrate.ts';
import { migrations as allMigrations } from './migrations/all.ts';
import type { Migration } from './migrations/migration.ts';
import { createOutbox, outboxPart, type OutboxStore } from './outbox.ts';
import { createPlannings, type PlanningStore } from './plannings.ts';
import type { Schema } from './schema.ts';
import { createPublishNotices, type PublishNoticeStore } from './publish-notices.ts';
import { createRungCosts, type RungCostStore } from './rung-costs.ts';
import { createSessions, type SessionStore } from './sessions.ts';
import { createStreamKeys, type StreamKeyStore } from './stream-keys.ts';
import { CatalogThread } from './thread.ts';
import { Turnstile } from './turnstile.ts';
import { openVault, type Vault } from './vault.ts';
import { createUploads, type UploadStore } from './uploads.ts';
import { createVideos, type VideoStore } from './videos.ts';

export type CatalogLog = { error(facts: object, message: string): void };

export type CatalogOptions = {
  /** The data folder; made when it is missing. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: CatalogLog;
  /** The catalog's thread died: nothing can be stored any more, so the process should end. */
  readonly onFault?: (error: Error) => void;
  /** Another set of steps, for tests of upgrades. */
  readonly migrations?: readonly Migration[];
};

export type Catalog = {
  readonly folder: string;
  readonly vault: Vault;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly links: LinkStore;
  readonly channels: ChannelStore;
  readonly streamKeys: StreamKeyStore;
  readonly publishNotices: PublishNoticeStore;
  readonly videos: VideoStore;
  readonly rungCosts: RungCostStore;
  readonly plannings: PlanningStore;
  readonly mediaSecrets: MediaSecretStore;
  readonly ingestReports: IngestReportStore;
  readonly uploads: UploadStore;
  readonly grantKeys: GrantKeyStore;
  readonly grants: GrantStore;
  readonly jobs: JobQueue;
  readonly outbox: OutboxStore;
  readonly answers: AnswerStore;
  readonly db: Kysely<Schema>;
  /** A consistent copy while the server runs. */
  backup(path: string): Promise<void>;
  /** Removes what has expired: sessions, kept answers, rows of uploads and grants that are over. */
  sweep(): Promise<void>;
  close(): Promise<void>;
};

const fingerprintName = 'master-key-fingerprint';

/** Another key would open none of the sealed secrets, and find no stream key: say so before anything else fails. */
const checkKey = async (db: Kysely<Schema>, vault: Vault, fresh: boolean): Promise<void> => {
  const fingerprint = vault.mac('fingerprint', 'catalog').toString('base64url');
  const known = await db.selectFrom('meta').select('value').where('name', '=', fingerprintName).executeTakeFirst();
  if (!known) await db.insertInto('meta').values({ name: fingerprintName, value: fingerprint }).execute();
  else if (known.value !== fingerprint) {
    const what = fresh ? 'The file master.key is missing' : 'master.key belongs to another catalog';
    throw new CatalogError('wrong-key', `${what}: the stream keys in this catalog cannot be read without its own. Put the master.key from the backup of this data folder back.`);
  }
};

/** The master key of a first start is made only once the folder is ours: two starts at once must agree on one. */
const assemble = async (thread: CatalogThread, options: CatalogOptions): Promise<Catalog> => {
  const { folder, clock } = options;
  const turn = new Turnstile();
  const db = new Kysely<Schema>({ dialect: threadDialect(thread, turn) });
  await migrate(db, options.migrations ?? allMigrations, clock.wall());
  const { vault, fresh } = await openVault(folder);
  await checkKey(db, vault, fresh);
  const outbox = createOutbox(db);
  const ground: Ground = {
    db,
    clock,
    vault,
    async write(parts, events = []) {
      const all = [...parts, ...events.map((event) => outboxPart(db, event, clock.wall()))];
      const steps = all.map(({ query, must }) => {
        const { sql, parameters } = query.compile();
        return { sql, params: parameters, must };
      });
      const outcomes = await turn.during(() => thread.atomic(steps));
      if (outcomes && events.length > 0) outbox.announce();
      return outcomes;
    },
  };
  const sessions = createSessions(ground);
  const answers = createAnswers(ground);
  const uploads = createUploads(ground);
  const jobs = createJobs(ground);
  const grantKeys = createGrantKeys(ground);
  const grants = createGrants(ground);
  // The folder is this process's alone: whoever was answering or working is gone.
  await Promise.all([answers.releaseAll(), jobs.loseAll()]);
  return {
    folder,
    vault,
    db,
    accounts: createAccounts(ground),
    sessions,
    links: createLinks(ground),
    channels: createChannels(ground),
    streamKeys: createStreamKeys(ground),
    publishNotices: createPublishNotices(ground),
    videos: createVideos(ground),
    rungCosts: createRungCosts(ground),
    plannings: createPlannings(ground),
    mediaSecrets: createMediaSecrets(ground),
    ingestReports: createIngestReports(ground),
    uploads,
    grantKeys,
    grants,
    jobs,
    outbox,
    answers,
    backup: (path) => thread.backup(path),
    async sweep() {
      await sessions.sweep();
      await answers.sweep();
      await uploads.sweep();
      await grantKeys.sweep();
      await grants.sweep();
    },
    close: () => db.destroy(),
  };
};

export const openCatalog = async (options: CatalogOptions): Promise<Catalog> => {
  await mkdir(options.folder, { recursive: true });
  const thread = await CatalogThread.start({ folder: options.folder, busyTimeoutMs: 5_000 }, (error) => {
    options.log.error({ err: error }, 'The catalog failed.');
    options.onFault?.(error);
  });
  try {
    return await assemble(thread, options);
  } catch (error) {
    await thread.close();
    throw error;
  }
};
