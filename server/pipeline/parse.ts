/** What a file of a pipeline says, or what is wrong with it and where. It knows no disk: images are looked at by whoever asks. */
import { contradictionOf, cycleOf, kindRules, lowestPriority, taskKinds, type Pipeline, type Task, type TaskKind, type TaskOptions, type WatermarkOptions } from '../../packager/pipeline/spec.ts';
import { isRecord, meant, quoted, readWritten, type Way, type Written } from './written.ts';

export { PipelineError } from './written.ts';

/** What lies where an operator says, or words for why it cannot be used. */
export type SeeImage = (written: string) => WatermarkOptions['image'] | string;

const mostTasks = 32;
const mostPriority = 100;
const mostAttempts = 10;
const namePattern = /^[a-z][a-z0-9-]{0,39}$/;
const common = ['kind', 'needs', 'each', 'class', 'priority', 'attempts'];
const options: Readonly<Record<TaskKind, readonly string[]>> = {
  encode: ['rungs'],
  join: [],
  sound: [],
  storyboard: ['every', 'columns', 'rows', 'width'],
  posters: ['count'],
  preview: ['seconds'],
  texts: [],
  watermark: ['image', 'place', 'opacity'],
};
const rungChoices = ['lowest', 'others', 'all'] as const;
const places = ['top-left', 'top-right', 'bottom-left', 'bottom-right', 'centre'] as const;

/** `name`: of the pipeline; `path`: for words about the file. */
export const parsePipeline = (name: string, path: string, text: string, see: SeeImage): Pipeline => {
  const written = readWritten(path, text);
  const { plain, wrong } = written;
  if (!isRecord(plain)) return wrong([], '"tasks" is expected, and below it a task a name');
  const unknown = Object.keys(plain).find((key) => key !== 'tasks');
  if (unknown !== undefined) wrong([unknown], `there is no key ${quoted(unknown)}${meant(unknown, ['tasks'])}`);
  const { tasks: all } = plain;
  if (!isRecord(all) || Object.keys(all).length === 0) return wrong(['tasks'], '"tasks" has at least one task: `name: { kind: … }`');
  const names = Object.keys(all);
  if (names.length > mostTasks) wrong(['tasks'], `there are ${names.length} tasks; ${mostTasks} are the most`);
  const tasks = names.map((task) => new Reading(written, ['tasks', task], task, names, see).task(all[task]));
  const cycle = cycleOf(tasks);
  if (cycle) wrong(['tasks', cycle[0] ?? '', 'needs'], `tasks wait for each other for ever: ${cycle.join(' needs ')}`);
  const contradiction = contradictionOf({ tasks });
  if (contradiction) wrong(['tasks', contradiction.task], `task "${contradiction.task}": ${contradiction.words}`);
  return { name, tasks };
};

class Reading {
  readonly #wrong: Written['wrong'];
  readonly #name: string;
  readonly #names: readonly string[];
  readonly #see: SeeImage;

  constructor({ wrong }: Written, way: Way, name: string, names: readonly string[], see: SeeImage) {
    this.#wrong = (inside, words) => wrong([...way, ...inside], `task ${quoted(name)}: ${words}`);
    this.#name = name;
    this.#names = names;
    this.#see = see;
  }

  task(said: unknown): Task {
    if (!namePattern.test(this.#name)) this.#wrong([], 'the name of a task is a letter, and then up to 39 of a-z 0-9 -');
    if (!isRecord(said)) return this.#wrong([], 'this is not { kind: …, needs: […], … }');
    const kind = this.#oneOf(said, 'kind', taskKinds, null);
    const known = [...common, ...options[kind]];
    const unknown = Object.keys(said).find((key) => !known.includes(key));
    if (unknown !== undefined) this.#unknown(unknown, kind, known);
    const rule = kindRules[kind];
    this.#oneOf(said, 'each', [rule.each], rule.each);
    const own = this.#options(said, kind);
    const priority = own.kind === 'encode' && own.rungs === 'lowest' ? lowestPriority : rule.priority;
    return {
      ...own,
      name: this.#name,
      needs: this.#needs(said),
      class: this.#oneOf(said, 'class', rule.classes, rule.classes[0]),
      priority: this.#whole(said, 'priority', 0, mostPriority, priority),
      attempts: this.#whole(said, 'attempts', 1, mostAttempts, rule.attempts),
    };
  }

  #unknown(key: string, kind: TaskKind, known: readonly string[]): never {
    const others = taskKinds.filter((other) => options[other].includes(key));
    if (others.length > 0) this.#wrong([key], `"${key}" is of tasks of kind ${others.join(', ')}; this one is of kind ${kind}`);
    return this.#wrong([key], `there is no key ${quoted(key)}${meant(key, known)}`);
  }

  #options(said: Readonly<Record<string, unknown>>, kind: TaskKind): TaskOptions {
    switch (kind) {
      case 'encode':
        return { kind, rungs: this.#oneOf(said, 'rungs', rungChoices, null) };
      case 'storyboard': {
        const every = said['every'] === undefined || said['every'] === 'auto' ? null : this.#whole(said, 'every', 1, 600, null, ' of seconds, or auto');
        return { kind, every, columns: this.#whole(said, 'columns', 1, 20, 5), rows: this.#whole(said, 'rows', 1, 20, 5), width: this.#whole(said, 'width', 64, 480, 160) };
      }
      case 'posters':
        return { kind, count: this.#whole(said, 'count', 1, 6, 6) };
      case 'preview':
        return { kind, seconds: this.#whole(said, 'seconds', 1, 10, 3) };
      case 'watermark':
        return { kind, image: this.#image(said), place: this.#oneOf(said, 'place', places, 'top-right'), opacity: this.#opacity(said) };
      default:
        return { kind };
    }
  }

  #needs(said: Readonly<Record<string, unknown>>): readonly string[] {
    const { needs = [] } = said;
    if (!Array.isArray(needs)) return this.#wrong(['needs'], '"needs" is a list of names of tasks');
    const others = this.#names.filter((name) => name !== this.#name);
    return needs.map((need: unknown, index) => {
      if (need === this.#name) return this.#wrong(['needs', index], 'it needs itself');
      if (typeof need !== 'string' || !others.includes(need)) return this.#wrong(['needs', index], `it needs ${quoted(need)}, and there is no such task${meant(need, others)}`);
      if (needs.indexOf(need) !== index) return this.#wrong(['needs', index], `it needs "${need}" twice`);
      return need;
    });
  }

  #image(said: Readonly<Record<string, unknown>>): WatermarkOptions['image'] {
    const { image } = said;
    if (typeof image !== 'string' || image === '') return this.#wrong(['image'], '"image" is the path of a PNG, JPEG or WebP, from the folder of this file on');
    const seen = this.#see(image);
    return typeof seen === 'string' ? this.#wrong(['image'], seen) : seen;
  }

  #opacity({ opacity = 0.6 }: Readonly<Record<string, unknown>>): number {
    return typeof opacity === 'number' && opacity >= 0.05 && opacity <= 1 ? opacity : this.#wrong(['opacity'], `${quoted(opacity)} is not a number from 0.05 to 1`);
  }

  /** `usual` null: it has to be written down. */
  #oneOf<Choice extends string>(said: Readonly<Record<string, unknown>>, key: string, choices: readonly Choice[], usual: Choice | null): Choice {
    const value = said[key];
    if (value === undefined && usual !== null) return usual;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    if (value === undefined) return this.#wrong([], `"${key}" is missing: one of ${choices.join(', ')}`);
    return this.#wrong([key], choices.length === 1 ? `"${key}" is ${choices[0]} for this kind, not ${quoted(value)}` : `there is no ${key} ${quoted(value)}${meant(value, choices)}`);
  }

  #whole(said: Readonly<Record<string, unknown>>, key: string, least: number, most: number, usual: number | null, more = ''): number {
    const value = said[key] === undefined ? usual : said[key];
    return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : this.#wrong([key], `"${key}" is ${quoted(value)}, not a whole number from ${least} to ${most}${more}`);
  }
}
