import t from 'tap';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plan } from '../../packager/pipeline/plan.ts';
import { facts, usualPipeline } from '../../packager/pipeline/testing.ts';
import { pipelineOf, readPipelines } from './read.ts';

const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(20)]);
const marked = 'tasks: { mark: { kind: watermark, image: mark.png }, a: { kind: encode, rungs: all, needs: [mark] }, b: { kind: join, needs: [a] } }';

t.test('the pipelines that come with the server', async (t) => {
  const pipelines = readPipelines(fileURLToPath(new URL('../../conf/pipelines', import.meta.url)));
  t.same([...pipelines.keys()], ['default', 'watermark']);
  t.same(pipelines.get('default'), usualPipeline());
  const jobs = plan(pipelines.get('watermark') ?? usualPipeline(), facts());
  t.match(jobs.find(({ kind }) => kind === 'encode')?.payload, { watermark: { place: 'top-right', opacity: 0.6 } });
  t.equal(pipelineOf({ 'encode.pipelines': '', 'encode.pipeline': 'default' }).name, 'default');
});

t.test('one that is not there is named, with the one that may have been meant', async (t) => {
  const folder = t.testdir({ 'own.yaml': 'tasks: { a: { kind: texts } }', '.own.yaml.swp.yaml': 'half' });
  t.equal(pipelineOf({ 'encode.pipelines': folder, 'encode.pipeline': 'own' }).name, 'own');
  t.throws(() => pipelineOf({ 'encode.pipelines': folder, 'encode.pipeline': 'onw' }), { name: 'PipelineError', message: `encode.pipeline is "onw", and there is no onw.yaml in ${folder}; did you mean "own"?` });
  t.throws(() => readPipelines('/nowhere/pipelines'), { name: 'PipelineError', message: /The folder of pipelines \/nowhere\/pipelines cannot be read/ });
  t.throws(() => readPipelines(t.testdir({ 'Ours.yaml': '' })), { message: /the name of a pipeline is/ });
  t.throws(() => readPipelines(t.testdir({ 'folder.yaml': {} })), { message: /folder\.yaml cannot be read: EISDIR/ });
});

t.test('an image is looked for beside the file that names it, and has to be one', async (t) => {
  const folder = t.testdir({ 'own.yaml': marked, 'mark.png': png });
  const [mark] = pipelineOf({ 'encode.pipelines': folder, 'encode.pipeline': 'own' }).tasks;
  t.match(mark, { kind: 'watermark', image: { path: join(folder, 'mark.png'), digest: /^[0-9a-f]{64}$/ } });
  t.throws(() => readPipelines(t.testdir({ 'own.yaml': marked })), { message: /own\.yaml:1: task "mark": .*mark\.png cannot be read: ENOENT/ });
  t.throws(() => readPipelines(t.testdir({ 'own.yaml': marked, 'mark.png': 'GIF89a' })), { message: /mark\.png is no PNG, JPEG or WebP/ });
  t.throws(() => readPipelines(t.testdir({ 'own.yaml': marked, 'mark.png': {} })), { message: /mark\.png is not a file/ });
});
