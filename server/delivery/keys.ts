/**
 * Keys of protected media, to whoever may play it: one by its id, as HLS players ask, and licences, as the ClearKey of a
 * browser asks for them (W3C Encrypted Media Extensions, 9.1). Nobody may keep either.
 */
import { parseKeyName } from '../../packager/protect/names.ts';
import { slotsOf, type KeyRing, type MediaKey } from '../../packager/protect/keys.ts';
import { isGivenHere } from '../../packager/protect/signals.ts';
import type { Exchange } from './exchange.ts';
import { cacheControl, common } from './headers.ts';
import { problems } from './problem.ts';
import type { Service } from './service.ts';

const mostKeys = 64;
const largestRequest = 8 * 1024;

export const giveKey = (service: Service, exchange: Exchange, video: string, name: string): void => {
  const kid = parseKeyName(name);
  withRing(service, exchange, video, kid ? [kid] : [], (ring) => {
    const found = kid && given(ring, kid);
    if (!found) return exchange.problem(problems.noKey);
    give(exchange, found.key, 'application/octet-stream');
  });
};

export const giveLicence = (service: Service, exchange: Exchange, video: string): void =>
  service.later(exchange, async () => {
    const body = await exchange.body(largestRequest);
    if (exchange.over) return;
    const ids = body && wanted(body);
    if (!ids) return exchange.problem(problems.badLicence);
    withRing(service, exchange, video, ids, (ring) => {
      const found = ids.flatMap((id) => given(ring, id) ?? []);
      if (found.length === 0) return exchange.problem(problems.noKey);
      give(exchange, Buffer.from(JSON.stringify({ keys: found.map(asJwk), type: 'temporary' })), 'application/json');
    });
  });

/** Keys for which players are sent to somebody else are not given here. */
const given = (ring: KeyRing, kid: Buffer): MediaKey | null => {
  const found = ring.withId(kid);
  return found && isGivenHere(found) ? found : null;
};

/** A video that is not protected has no keys. */
const withRing = (service: Service, exchange: Exchange, video: string, ids: readonly Buffer[], next: (ring: KeyRing) => void): void =>
  service.open(
    exchange,
    video,
    (sealed, snapshot) => sealed.ring.find(ids, slotsOf(sealed, snapshot)),
    ({ sealed }) => (sealed ? next(sealed.ring) : exchange.problem(problems.noKey)),
  );

const give = (exchange: Exchange, body: Buffer, type: string): void =>
  exchange.text(body, [...common, 'Content-Type', type, 'Content-Length', String(body.length), 'Cache-Control', cacheControl.never]);

const asJwk = ({ kid, key }: MediaKey): object => ({ kty: 'oct', kid: kid.toString('base64url'), k: key.toString('base64url') });

const idShape = /^[A-Za-z0-9_-]{22}$/;

/** Null: no such request. */
const wanted = (body: Buffer): Buffer[] | null => {
  let said: unknown;
  try {
    said = JSON.parse(body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const kids: unknown = typeof said === 'object' && said !== null && 'kids' in said ? said.kids : null;
  if (!Array.isArray(kids) || kids.length === 0 || kids.length > mostKeys) return null;
  const ids = kids.map((kid: unknown) => (typeof kid === 'string' && idShape.test(kid) ? Buffer.from(kid, 'base64url') : null));
  return ids.every((id) => id !== null) ? ids : null;
};
