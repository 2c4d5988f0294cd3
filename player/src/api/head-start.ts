/**
 * What a page will ask for is known from its address, before its code is here: the first requests go out with the
 * request for the code. Each is taken once; whoever comes later asks anew.
 */
import type { Route } from '../routes.ts';
import { grantIn } from '../lib/link-grant.ts';
import { askedTimes } from '../lib/time-param.ts';
import { api } from './endpoints.ts';
import type { Piece } from './endpoints.ts';

const started = new Map<string, Promise<unknown>>();

const begin = (key: string, load: () => Promise<unknown>): void => {
  const answer = load();
  answer.catch(() => {}); // whoever takes it hears of the failure; if nobody does, it matters to nobody
  started.set(key, answer);
};

/** `load` is what began under this key, so the answer is of its type. */
export const take = <T>(key: string, load: () => Promise<T>): Promise<T> => {
  const early = started.get(key);
  started.delete(key);
  return early ? (early as Promise<T>) : load();
};

/** The link that the page was opened by. */
export const askedGrant = (): string | undefined => grantIn(location);

export const askedLink = (): Pick<Piece, 'grant'> => {
  const grant = askedGrant();
  return grant === undefined ? {} : { grant };
};

/** The piece that the address of the page asks for. */
export const askedPiece = (): Piece => {
  const asked = askedTimes(location.search);
  return {
    ...(asked.in === null ? {} : { in: asked.in }),
    ...(asked.out === null ? {} : { out: asked.out }),
    ...askedLink(),
  };
};

export const headStart = (route: Route): void => {
  if (route.page === 'watch' || route.page === 'embed') {
    begin(`video ${route.video}`, () => api.video(route.video, askedGrant()));
    begin(`play ${route.video}`, () => api.playVideo(route.video, askedPiece()));
  }
  if (route.page === 'channel') begin(`channel @${route.name}`, () => api.channel(`@${route.name}`, askedGrant()));
};
