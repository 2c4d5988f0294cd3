/** The session cookie, read and written. */

export const cookieName = 'millrace_session';

/** The token of a `Cookie` header; the first of that name counts. */
export const sessionCookie = (header: string | undefined): string | null => {
  if (header === undefined || header.length > 16_384) return null;
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === cookieName) return pair.slice(at + 1).trim() || null;
  }
  return null;
};

const attributes = (secure: boolean): string => `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;

export const setCookie = (token: string, maxAgeMs: number, secure: boolean): string =>
  `${cookieName}=${token}; Max-Age=${Math.floor(maxAgeMs / 1000)}; ${attributes(secure)}`;

export const clearCookie = (secure: boolean): string => `${cookieName}=; Max-Age=0; ${attributes(secure)}`;

const bearerShape = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i;

export const bearerToken = (authorization: string | undefined): string | null => bearerShape.exec(authorization ?? '')?.[1] ?? null;
