/**
 * The catalog's thread: the only place that opens the database. SQLite's calls block, and here they block
 * nobody. Two connections: one writes, one reads committed state (WAL), so reads never wait for a
 * transaction that is open across messages.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { CatalogError, type CatalogErrorCode } from './errors.ts';
import { openingId, type Order, type Outcome, type Reply, type Statement, type Step, type WorkerData } from './wire.ts';

const port = parentPort;
if (!port) throw new Error('The catalog worker runs in a worker thread only.');
const { folder, busyTimeoutMs } = workerData as WorkerData;

const statementsKept = 500;

class Connection {
  readonly db: Database.Database;
  readonly #prepared = new Map<string, Database.Statement<unknown[]>>();

  constructor(db: Database.Database) {
    this.db = db;
  }
  run({ sql, params }: Statement): Outcome {
    // SQLite itself rolls back on some errors (a full disk); a second ROLLBACK would fail, and hide the first error.
    if (sql.toUpperCase() === 'ROLLBACK' && !this.db.inTransaction) return { rows: [], affected: 0 };
    let prepared = this.#prepared.get(sql);
    if (!prepared) {
      if (this.#prepared.size >= statementsKept) this.#prepared.clear();
      prepared = this.db.prepare(sql);
      this.#prepared.set(sql, prepared);
    }
    if (!prepared.reader) return { rows: [], affected: prepared.run(...params).changes };
    const rows = prepared.all(...params);
    return { rows, affected: rows.length };
  }
}

/**
 * The system's lock on a data folder, which dies with the process however that ends: an open exclusive
 * transaction on an empty database. (Node has no flock; a file with a process id in it lies after a crash.)
 */
const takeFolder = (): Database.Database => {
  const lock = new Database(join(folder, 'catalog.lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (sqliteCode(error).startsWith('SQLITE_BUSY')) {
      throw new CatalogError('in-use', `Another Millrace is running on the data folder ${folder}. Stop it first, or give this one a folder of its own (MILLRACE_DATA).`);
    }
    throw error;
  }
  return lock;
};

const open = (): { lock: Database.Database; writer: Connection; reader: Connection } => {
  const lock = takeFolder();
  const file = join(folder, 'catalog.db');
  const writer = new Database(file, { timeout: busyTimeoutMs });
  writer.pragma('journal_mode = WAL');
  writer.pragma('synchronous = NORMAL');
  writer.pragma('foreign_keys = ON');
  const reader = new Database(file, { readonly: true, timeout: busyTimeoutMs });
  return { lock, writer: new Connection(writer), reader: new Connection(reader) };
};

const sqliteCode = (error: unknown): string =>
  error instanceof Database.SqliteError ? error.code : '';

const codeOf = (error: unknown): CatalogErrorCode => {
  if (error instanceof CatalogError) return error.code;
  const code = sqliteCode(error);
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') return 'unique';
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return 'reference';
  if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) return 'damaged';
  if (code === 'SQLITE_FULL') return 'full';
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN')) return 'unwritable';
  return 'failed';
};

const say = (reply: Reply): void => port.postMessage(reply);

const sayError = (id: number, error: unknown): void =>
  say({ id, ok: false, code: codeOf(error), message: error instanceof Error ? error.message : String(error) });

const atomic = (writer: Connection, steps: readonly Step[]): Outcome[] | null => {
  writer.run({ sql: 'BEGIN IMMEDIATE', params: [] });
  try {
    const outcomes: Outcome[] = [];
    for (const step of steps) {
      const outcome = writer.run(step);
      if (step.must && outcome.affected === 0) {
        writer.run({ sql: 'ROLLBACK', params: [] });
        return null;
      }
      outcomes.push(outcome);
    }
    writer.run({ sql: 'COMMIT', params: [] });
    return outcomes;
  } catch (error) {
    writer.run({ sql: 'ROLLBACK', params: [] });
    throw error;
  }
};

const serve = ({ lock, writer, reader }: ReturnType<typeof open>): void => {
  const obey = async (order: Order): Promise<unknown> => {
    switch (order.op) {
      case 'run':
        return (order.on === 'read' ? reader : writer).run(order.statement);
      case 'atomic':
        return atomic(writer, order.steps);
      case 'backup':
        await reader.db.backup(order.path);
        return null;
      case 'close':
        reader.db.close();
        writer.db.close();
        lock.close();
        // The thread's exit is the reply.
        return port.close();
    }
  };
  port.on('message', (order: Order) => {
    obey(order).then(
      (value) => say({ id: order.id, ok: true, value }),
      (error: unknown) => sayError(order.id, error),
    );
  });
};

try {
  serve(open());
  say({ id: openingId, ok: true, value: null });
} catch (error) {
  sayError(openingId, error);
}
