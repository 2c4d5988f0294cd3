/**
 * The server's log: one JSON line a fact. Secrets have no business here; what slips in under a known name is
 * struck out.
 */
import { pino, type Logger } from 'pino';

/** What every part of the server may say. */
export type ServerLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

const SECRETS = ['password', 'token', 'key', 'streamKey', 'passphrase', 'grant', 'secret', 'authorization', 'cookie'];

export const createLog = (level: string, destination?: { write(line: string): void }): Logger => {
  const paths = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths, censor: '[secret]' } };
  return destination ? pino(options, destination) : pino(options);
};
