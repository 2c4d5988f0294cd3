import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { plan } from '../../../packager/pipeline/plan.ts';
import { kindRules } from '../../../packager/pipeline/spec.ts';
import { facts, soundPlace } from '../../../packager/pipeline/testing.ts';
import type { Step } from '../../../packager/encode/plan.ts';
import { readPipelines } from '../../../server/pipeline/read.ts';
import { language } from '../words/index.ts';
import { jobText, taskText } from './work-words.ts';

const make = { channels: 2, sampleRate: 48_000, bitRate: 128_000 } as const;

/** A name that nobody has put into words is English; these pages have it in Korean without a Latin letter. */
const isSaid = (t: Test, text: string, what: string): void => {
  t.not(text.trim(), '', what);
  t.notMatch(text, /[a-z]/i, what);
};

t.before(() => language.set('ko'));

t.test('every kind of job that a plan has, and every task of the pipelines that come with the server, has words', async (t) => {
  const kinds = new Set<string>();
  for (const [name, pipeline] of readPipelines(fileURLToPath(new URL('../../../conf/pipelines', import.meta.url)))) {
    const jobs = plan(pipeline, facts({ sounds: [{ track: 'a0', source: { kind: 'original', path: 'original', track: 2 }, place: soundPlace, make }] }));
    t.same(new Set(jobs.map(({ task }) => task)), new Set(pipeline.tasks.map((task) => task.name)), `${name}: every task of it has something to do`);
    for (const job of jobs) {
      kinds.add(job.kind);
      isSaid(t, jobText(job), `${name}: ${job.kind} of ${job.task}`);
    }
    for (const task of pipeline.tasks) isSaid(t, taskText(task), `${name}: task ${task.name}`);
  }
  t.same([...kinds].sort(), [...Object.keys(kindRules), 'keep-pictures', 'list-sound'].sort());
});

t.test('every step by which a file becomes playable has words', async (t) => {
  const steps: Readonly<Record<Step['kind'], 'make'>> = { remux: 'make', audio: 'make', lowest: 'make', mezzanine: 'make' };
  for (const [step, kind] of Object.entries({ inspect: 'inspect', captions: 'captions', ...steps })) {
    isSaid(t, jobText({ kind, task: `intake.${step}` }), `job ${step}`);
    isSaid(t, taskText({ name: `intake.${step}`, kind: step }), `task ${step}`);
  }
});

t.test('what an operator calls a task stands beside what it does', async (t) => {
  language.set('en');
  t.equal(jobText({ kind: 'encode', task: 'large' }), 'Smaller sizes (large)');
  t.equal(jobText({ kind: 'list-sound', task: 'sound' }), 'Adding to the playlists (Sound)');
  t.equal(jobText({ kind: 'keep-pictures', task: 'large' }), 'Keeping pictures (large)');
  t.equal(jobText({ kind: 'brew', task: null }), 'brew');
});
