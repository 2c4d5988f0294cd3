/** Addresses and networks that somebody writes into a request. */
import { network, ValueError } from '../../config/values.ts';
import { plainAddress } from '../../networks.ts';
import { Problem } from '../kit/problem.ts';

/** As they are written everywhere, each once. */
export const networksOf = (given: readonly string[], field: string): readonly string[] => {
  const parse = (text: string): string => {
    try {
      return plainAddress(network.parse(text)).toLowerCase();
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const detail = `\`${field}\` has ${error.message}.`;
      throw new Problem('validation', detail, { errors: [{ field, detail }] });
    }
  };
  return [...new Set(given.map(parse))];
};
