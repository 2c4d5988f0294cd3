import t from 'tap';
import { problemKinds } from '../../../server/api/kit/problem.ts';
import { failureCodes as known } from '../../../server/intake/types.ts';
import { byCode, problemOf, wordsFor } from '../api/problem.ts';
import { failureCodes } from '../api/types.ts';
import { findingCodes } from '../../../server/health/findings.ts';
import { enFindings } from './en-findings.ts';
import { en } from './en.ts';
import { koFindings } from './ko-findings.ts';
import { ko } from './ko.ts';

t.test('every reason for which a video fails has words in both languages', async (t) => {
  t.same([...failureCodes].sort(), [...known].sort(), 'the pages know the codes that the server has');
  for (const code of known) {
    const key = `failure.${code}` as keyof typeof en;
    t.ok(en[key], `${code} in English`);
    t.ok(ko[key], `${code} in Korean`);
  }
});

t.test('everything that is found wrong with a stream has a sentence and a fix in both languages', async (t) => {
  t.same(Object.keys(enFindings).sort(), [...findingCodes].sort());
  const placesOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();
  for (const code of findingCodes) {
    for (const part of ['what', 'fix'] as const) {
      t.ok(koFindings[code][part], code);
      t.same(placesOf(koFindings[code][part]), placesOf(enFindings[code][part]), `${code}: the same numbers`);
    }
  }
});

/** Met by a person only where a page has a fault, or said well enough by the status and the server's own sentence. */
const saidByStatus = new Set([
  'validation',
  'malformed-json',
  'malformed-request',
  'cursor-invalid',
  'not-logged-in',
  'not-allowed',
  'not-yours',
  'foreign-origin',
  'not-found',
  'no-such-route',
  'method-not-allowed',
  'idempotency-under-way',
  'address-too-long',
  'not-json',
  'idempotency-mismatch',
  'slow-down',
  'internal',
]);

t.test('every code with which the API says no has words of its own, or is known to need none', async (t) => {
  for (const code of Object.keys(problemKinds)) {
    const own = Object.hasOwn(byCode, code);
    t.not(own, saidByStatus.has(code), `${code}: words of its own, or those of its status, and not both`);
    const [status] = problemKinds[code as keyof typeof problemKinds];
    t.ok(ko[wordsFor(problemOf(status, { code }))], code);
  }
  const real = new Set<string>([...Object.keys(problemKinds), 'unreachable']);
  for (const code of Object.keys(byCode)) t.ok(real.has(code), `${code} is a code of the server`);
});
