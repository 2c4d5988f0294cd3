/**
 * kysely over the catalog's thread. Selects outside a transaction go to the reading connection at once;
 * everything else takes its turn at the one writing connection, a transaction for its whole length.
 */
import {
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import type { CatalogThread } from './thread.ts';
import type { Turnstile } from './turnstile.ts';

class ThreadConnection implements DatabaseConnection {
  readonly #thread: CatalogThread;
  readonly #turn: Turnstile;
  #leave: (() => void) | null = null;

  constructor(thread: CatalogThread, turn: Turnstile) {
    this.#thread = thread;
    this.#turn = turn;
  }
  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    const statement = { sql, params: parameters };
    if (this.#leave) return result(await this.#thread.run('write', statement));
    if (SelectQueryNode.is(query)) return result(await this.#thread.run('read', statement));
    return this.#turn.during(async () => result(await this.#thread.run('write', statement)));
  }
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('The catalog does not stream rows: ask for pages.');
  }
  async begin(): Promise<void> {
    const leave = await this.#turn.enter();
    try {
      await this.#thread.run('write', { sql: 'BEGIN IMMEDIATE', params: [] });
    } catch (error) {
      leave();
      throw error;
    }
    this.#leave = leave;
  }
  async end(sql: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const leave = this.#leave;
    try {
      await this.#thread.run('write', { sql, params: [] });
      this.#leave = null;
      leave?.();
    } catch (error) {
      // A COMMIT that failed leaves the transaction open for the ROLLBACK that kysely sends next.
      if (sql === 'ROLLBACK') {
        this.#leave = null;
        leave?.();
      }
      throw error;
    }
  }
}

const result = <R>({ rows, affected }: { readonly rows: readonly unknown[]; readonly affected: number }): QueryResult<R> => ({
  rows: rows as R[],
  numAffectedRows: BigInt(affected),
});

const ours = (connection: DatabaseConnection): ThreadConnection => {
  if (connection instanceof ThreadConnection) return connection;
  throw new Error('Not a connection of the catalog.');
};

class ThreadDriver implements Driver {
  readonly #thread: CatalogThread;
  readonly #turn: Turnstile;
  constructor(thread: CatalogThread, turn: Turnstile) {
    this.#thread = thread;
    this.#turn = turn;
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return new ThreadConnection(this.#thread, this.#turn);
  }
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).begin();
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).end('COMMIT');
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).end('ROLLBACK');
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {
    await this.#thread.close();
  }
}

/** kysely's own lets one query through at a time; here the turnstile does that, for writers alone. */
class ThreadAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export const threadDialect = (thread: CatalogThread, turn: Turnstile): Dialect => ({
  createDriver: () => new ThreadDriver(thread, turn),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createAdapter: () => new ThreadAdapter(),
  createIntrospector: (db) => new SqliteIntrospector(db),
});
