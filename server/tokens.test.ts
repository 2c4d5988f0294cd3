import t from 'tap';
import { FakeClock } from '../packager/clock.ts';
import { loadConfig } from './config/load.ts';
import { foreignTokens } from './tokens.ts';

t.test('tokens are taken when all that belongs together is set, and half of it keeps the server from starting', async (t) => {
  const defaults = loadConfig(null, {}).config;
  const made = (change: Record<string, unknown>) => foreignTokens({ ...defaults, ...change } as typeof defaults, new FakeClock(), () => undefined);
  const all = { 'tokens.issuer': 'https://school.example', 'tokens.audience': 'us', 'tokens.keys': '/etc/keys.json' };
  t.equal(made({}), null);
  t.equal(made(all)?.issuer, 'https://school.example');
  for (const name of Object.keys(all)) t.throws(() => made({ ...all, [name]: '' }), /belong together/);
  t.throws(() => made({ ...all, 'tokens.algorithms': [] }), /belong together/);
  t.throws(() => made({ ...all, 'tokens.keys': 'http://school.example/keys' }), /https/);
  t.ok(made({ ...all, 'tokens.keys': 'https://school.example/keys' }));
});
