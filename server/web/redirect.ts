/** Sends plain requests to HTTPS, where the configuration wants that. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Whoever watches the server from the same machine asks without TLS. */
const staysPlain = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * A proxy that has TLS of its own in front would be sent in circles. Anybody can write this header; all that it gets
 * him is the answer over the connection that he chose.
 */
export const goesToHttps = ({ url, headers }: IncomingMessage): boolean =>
  headers['x-forwarded-proto'] !== 'https' && !staysPlain.has((url ?? '/').split('?', 1)[0] ?? '/');

type Target = { /** Empty: none is set. */ readonly publicUrl: string; readonly port: number };

/** Null: whatever was asked for, it has no address over there. */
export const httpsAddress = (host: string, url: string, { publicUrl, port }: Target): string | null => {
  if (!url.startsWith('/')) return null;
  if (publicUrl.startsWith('https:')) return publicUrl + url;
  const said = `http://${host}`;
  if (host === '' || !URL.canParse(said)) return null;
  const { hostname } = new URL(said);
  return `https://${hostname}${port === 443 ? '' : `:${port}`}${url}`;
};

export const sendToHttps = (request: IncomingMessage, response: ServerResponse, target: Target): void => {
  const location = httpsAddress(request.headers.host ?? '', request.url ?? '', target);
  // What it would have sent is not read.
  response.shouldKeepAlive = false;
  // 308: the method stays, so that a POST does not become a GET. Never cached: the setting may be taken back.
  if (location === null) response.writeHead(400, { 'content-length': 0 });
  else response.writeHead(308, { location, 'content-length': 0, 'cache-control': 'no-store' });
  response.end();
};
