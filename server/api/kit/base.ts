/** The address that this server was reached by. */

type Reached = { readonly protocol: string; readonly host: string };

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/** server.publicUrl, else what the request says (forwarded headers count only behind a trusted proxy; fastify sees to that). */
export const baseAddress = ({ protocol, host }: Reached, publicUrl: string | null): string => {
  if (publicUrl !== null) return withoutSlash(publicUrl);
  const said = `${protocol === 'https' ? 'https' : 'http'}://${host}`;
  // A Host header can hold anything; an address made of it must at least be one.
  return host !== '' && URL.canParse(said) ? new URL(said).origin : 'http://localhost';
};
