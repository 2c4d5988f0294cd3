/** Who is signed in. The session itself is a cookie that no script can read. */
import { api } from '../api/endpoints.ts';
import { ApiProblem } from '../api/problem.ts';
import type { Account } from '../api/types.ts';
import { remember, remembered } from './remembered.ts';
import { createStore } from './store.ts';

export type Session =
  { readonly is: 'asking' } | { readonly is: 'nobody' } | { readonly is: 'someone'; readonly account: Account };

/** Visitors who never signed in here are not asked for: their start page costs one request less, and no 401. */
const mayBeSomeone = remembered('signed-in') === 'yes';

export const session = createStore<Session>(mayBeSomeone ? { is: 'asking' } : { is: 'nobody' });

let asked: Promise<void> | null = null;

export const signedIn = (account: Account): void => {
  remember('signed-in', 'yes');
  asked = Promise.resolve();
  session.set({ is: 'someone', account });
};

const nobody = (): void => {
  remember('signed-in', null);
  session.set({ is: 'nobody' });
};

/** Asks the server once. Pages that are only for someone call it; the frame does when a sign-in was seen before. */
export const askWho = (): Promise<void> =>
  (asked ??= api.me().then(signedIn, (error: unknown) => {
    asked = null;
    // Only the server's word ends a session: while it cannot be reached, what is remembered stays.
    if (ApiProblem.from(error).status === 401) nobody();
    else session.set({ is: 'nobody' });
  }));

if (mayBeSomeone) void askWho();

export const signOut = async (): Promise<void> => {
  try {
    await api.signOut();
  } catch (error) {
    // Signed out already is as good; anything else means that the cookie still counts, and must be told.
    if (ApiProblem.from(error).status !== 401) throw error;
  }
  asked = null;
  nobody();
};
