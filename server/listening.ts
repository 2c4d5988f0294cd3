/** Ports that are opened, and words for those that cannot be. */
import type { AddressInfo, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ServerLog } from './log.ts';

/** '::' means every address; where IPv6 is switched off, it cannot be listened on. */
export const reachableHost = (host: string): string => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return host === '::' && !addresses.some(({ family }) => family === 'IPv6') ? '0.0.0.0' : host;
};

export type Place = { readonly host: string; readonly port: number; /** Which variable chooses another port. */ readonly variable: string };

/**
 * Resolves with the port, which is another one when 0 was asked for. From then on what goes wrong with the listener, such
 * as a connection for which no descriptor is left, is written down, and ends nothing.
 */
export const listenAt = (server: Server, { host, port, variable }: Place, log: Pick<ServerLog, 'error'>): Promise<number> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(portError(error, port, variable));
    server.once('error', failed);
    server.listen({ host: reachableHost(host), port, backlog: 1024 }, () => {
      server.off('error', failed);
      const { port: bound } = server.address() as AddressInfo;
      server.on('error', (error) => log.error({ err: error, port: bound }, 'A listener has trouble.'));
      resolve(bound);
    });
  });

export const portError = (error: unknown, port: number, variable: string): Error => {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const words: Record<string, string> = {
    EADDRINUSE: `Port ${port} is taken: is another server running? Choose another with ${variable}.`,
    EACCES: `Port ${port} may not be opened by this user. Choose one above 1023 with ${variable}.`,
  };
  const why = words[String(code)] ?? (error instanceof Error ? error.message : String(error));
  return new Error(why, { cause: error });
};
