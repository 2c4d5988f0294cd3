/**
 * The address by which a request reached this server, for answers that must name themselves in full: `server.publicUrl`, else
 * what the request says. Forwarded headers count only from a trusted proxy.
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { baseAddress } from '../api/kit/base.ts';
import { networkList, plainAddress } from '../networks.ts';

export type ReachedAt = (request: IncomingMessage) => string;

export const reachedAt = (proxies: readonly string[], publicUrl: string | null): ReachedAt => {
  const isTrusted = networkList(proxies);
  return ({ socket, headers }) => {
    const forwarded = isTrusted(plainAddress(socket.remoteAddress ?? ''));
    // The nearest proxy writes at the end.
    const said = (name: 'x-forwarded-proto' | 'x-forwarded-host'): string | undefined => (forwarded ? [headers[name] ?? []].flat().join(',').split(',').at(-1)?.trim() || undefined : undefined);
    const protocol = said('x-forwarded-proto') ?? (socket instanceof TLSSocket ? 'https' : 'http');
    return baseAddress({ protocol, host: said('x-forwarded-host') ?? headers.host ?? '' }, publicUrl);
  };
};
