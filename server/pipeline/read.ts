/** The pipelines that an operator wrote down: `conf/pipelines/<name>.yaml`. What is wrong with one stops the start, and is said with its place. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formOf } from '../../packager/encode/stills/poster.ts';
import { mostImageBytes } from '../../packager/encode/vod/mark-image.ts';
import type { Pipeline } from '../../packager/pipeline/spec.ts';
import type { Config } from '../config/settings.ts';
import { parsePipeline, type SeeImage } from './parse.ts';
import { meant, PipelineError, wordsOf } from './written.ts';

const ours = fileURLToPath(new URL('../../conf/pipelines', import.meta.url));
const namePattern = /^[a-z0-9_-]{1,40}$/;

/** The one that is carried out. All are read, so that a mistake is heard of before its file is chosen. */
export const pipelineOf = (config: Pick<Config, 'encode.pipelines' | 'encode.pipeline'>): Pipeline => {
  const folder = config['encode.pipelines'] || ours;
  const name = config['encode.pipeline'];
  const pipelines = readPipelines(folder);
  const found = pipelines.get(name);
  if (found) return found;
  throw new PipelineError(`encode.pipeline is "${name}", and there is no ${name}.yaml in ${folder}${meant(name, [...pipelines.keys()])}`);
};

export const readPipelines = (folder: string): ReadonlyMap<string, Pipeline> => {
  const pipelines = new Map<string, Pipeline>();
  for (const file of filesOf(folder).filter((one) => one.endsWith('.yaml') && !one.startsWith('.')).toSorted()) {
    const name = basename(file, '.yaml');
    const path = join(folder, file);
    if (!namePattern.test(name)) throw new PipelineError(`${path}: the name of a pipeline is 1 to 40 of a-z 0-9 - _`);
    pipelines.set(name, parsePipeline(name, path, textOf(path), seeImage(path)));
  }
  return pipelines;
};

const filesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new PipelineError(`The folder of pipelines ${folder} cannot be read: ${wordsOf(error)}`, { cause: error });
  }
};

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PipelineError(`${path} cannot be read: ${wordsOf(error)}`, { cause: error });
  }
};

/** Its first bytes say whether it is one; the rest is looked at behind walls, when it is first put on a video. */
const seeImage =
  (file: string): SeeImage =>
  (written) => {
    const path = resolve(dirname(resolve(file)), written);
    try {
      const about = statSync(path);
      if (!about.isFile()) return `${path} is not a file`;
      if (about.size > mostImageBytes) return `${path} is larger than ${mostImageBytes / 2 ** 20} MiB`;
      const bytes = readFileSync(path);
      if (!formOf(bytes)) return `${path} is no PNG, JPEG or WebP`;
      return { path, digest: createHash('sha256').update(bytes).digest('hex') };
    } catch (error) {
      return `${path} cannot be read: ${wordsOf(error)}`;
    }
  };
