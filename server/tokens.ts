/** Whose tokens this server takes, as the configuration says. */
import type { Clock } from '../packager/clock.ts';
import { ForeignTokens } from './auth/foreign-tokens.ts';
import type { Config } from './config/settings.ts';

/** Null: nobody’s. Throws where only half of it is said: to take tokens without looking at their audience is not meant. */
export const foreignTokens = (config: Config, clock: Clock, failed: (error: unknown) => void): ForeignTokens | null => {
  const { 'tokens.issuer': issuer, 'tokens.audience': audience, 'tokens.keys': keys, 'tokens.algorithms': algorithms } = config;
  if (issuer === '' && audience === '' && keys === '') return null;
  if (issuer === '' || audience === '' || keys === '' || algorithms.length === 0) {
    throw new Error('tokens.issuer, tokens.audience, tokens.keys and tokens.algorithms belong together: tokens are taken when all of them are set.');
  }
  if (keys.startsWith('http:')) throw new Error('tokens.keys must be a file or an https address: whoever can change what comes over http can sign tokens.');
  return new ForeignTokens({ issuer, audience, keys, algorithms }, clock, failed);
};
