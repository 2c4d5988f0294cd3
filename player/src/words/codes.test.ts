import t from 'tap';
import { foreignRefusals } from '../../../server/auth/foreign-refusals.ts';
import { problems } from '../../../ingest/upload/problems.ts';
import { problemKinds } from '../../../server/api/kit/problem.ts';
import { failureCodes as known } from '../../../server/intake/types.ts';
import { refusals } from '../../../server/uploads/refusals.ts';
import { byCode, problemOf, wordsFor } from '../api/problem.ts';
import { failureCodes } from '../api/types.ts';
import { meaningOf } from '../upload/answers.ts';
import { findingCodes } from '../../../server/health/findings.ts';
import { attemptReasons } from '../../../server/live/attempts.ts';
import type { Attempt } from '../api/types.ts';
import { refusedBecause } from '../parts/refused-because.ts';
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

t.test('every reason for which a sender is not let in has words in both languages, and one that is newer than the page is itself', async (t) => {
  for (const reason of attemptReasons) {
    t.ok(en[`attempts.reason.${reason}`], `${reason} in English`);
    t.ok(ko[`attempts.reason.${reason}`], `${reason} in Korean`);
  }
  t.equal(refusedBecause('newer-than-this' as Attempt['reason']), 'newer-than-this');
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
  'key-in-use',
  // Programs bring tokens, and not people.
  ...Object.keys(foreignRefusals),
  'jwt-keys-unavailable',
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

/** What only a program with a fault in it is told: it sent a request of another form than the server asks for. */
const saidToPrograms = new Set([
  'bad-part',
  'bad-part-size',
  'no-such-part',
  'length-required',
  'part-length',
  'digest-required',
  'digest-unsupported',
  'bad-digest',
  'encoded',
  'method-not-allowed',
]);
/** These answer to tus, which the pages do not speak. */
const ofTus = new Set([problems.tusVersion, problems.tusType, problems.badOffset, problems.badChecksum, problems.unknownChecksum, problems.checksum, problems.locked].map(({ code }) => code as string));

t.test('whatever the server says to a part, whoever sends it is told what it means', async (t) => {
  const all = [
    ...Object.values(problems).map((one) => (typeof one === 'function' ? (one as (fact: never[]) => { status: number; code: string; detail: string })([]) : one)),
    ...Object.values(refusals).map((one) => (typeof one === 'function' ? one(null, null) : one)),
  ];
  let unexpected = 0;
  for (const { status, code, detail } of all) {
    if (ofTus.has(code) && status !== problems.lockedPart.status) continue;
    const meaning = meaningOf({ status, body: { code, detail }, retryAfterMs: null });
    const vague = meaning.is === 'failed' && meaning.failure.reason === 'unexpected';
    t.equal(vague, saidToPrograms.has(code), code);
    if (vague) unexpected += 1;
  }
  t.equal(unexpected, saidToPrograms.size);
});
