import t from 'tap';
import { contradictionOf, cycleOf, kindRules, type Pipeline } from '../../packager/pipeline/spec.ts';
import { Random } from '../../test/support/random.ts';
import { parsePipeline, PipelineError, type SeeImage } from './parse.ts';

const see: SeeImage = (written) => (written === 'mark.png' ? { path: '/etc/mark.png', digest: 'ab'.repeat(32) } : `${written} cannot be read`);
const parse = (text: string): Pipeline => parsePipeline('own', 'own.yaml', text, see);
const refused = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof PipelineError) return error.message;
    throw error;
  }
  return 'taken';
};

const small = 'tasks:\n  low: { kind: encode, rungs: lowest }\n  low-track: { kind: join, needs: [low] }\n';

t.test('what is left out is usual', async (t) => {
  t.same(parse(`${small}  board: { kind: storyboard }\n  rest: { kind: encode, rungs: others, priority: 5, attempts: 1 }\n  rest-tracks: { kind: join, each: rung, needs: [rest], class: light }\n`).tasks, [
    { kind: 'encode', rungs: 'lowest', name: 'low', needs: [], class: 'encode', priority: 60, attempts: 4 },
    { kind: 'join', name: 'low-track', needs: ['low'], class: 'light', priority: 65, attempts: 4 },
    { kind: 'storyboard', every: null, columns: 5, rows: 5, width: 160, name: 'board', needs: [], class: 'picture', priority: 40, attempts: 3 },
    { kind: 'encode', rungs: 'others', name: 'rest', needs: [], class: 'encode', priority: 5, attempts: 1 },
    { kind: 'join', name: 'rest-tracks', needs: ['rest'], class: 'light', priority: 65, attempts: 4 },
  ]);
});

const wrongs: readonly (readonly [text: string, words: string | RegExp])[] = [
  ['', '"tasks" is expected'],
  ['- 1', '"tasks" is expected'],
  ['tasks: []', 'own.yaml:1: "tasks" has at least one task'],
  ['tasks: {}', '"tasks" has at least one task'],
  ['task: {}', 'own.yaml:1: there is no key "task"; did you mean "tasks"?'],
  [`${small}  2nd: { kind: texts }`, 'own.yaml:4: task "2nd": the name of a task is a letter'],
  [`${small}  low: { kind: texts }`, /own\.yaml:4: .*unique/],
  [`${small}  texts: texts`, 'own.yaml:4: task "texts": this is not { kind:'],
  [`${small}  texts: { needs: [low] }`, 'own.yaml:4: task "texts": "kind" is missing: one of encode, join,'],
  [`${small}  text:\n    kind: text`, 'own.yaml:5: task "text": there is no kind "text"; did you mean "texts"?'],
  [`${small}  text:\n    kind: 7`, 'there is no kind 7; there are encode, join,'],
  [`${small}  text:\n    kind: texts\n    need: [low]`, 'own.yaml:6: task "text": there is no key "need"; did you mean "needs"?'],
  [`${small}  text:\n    kind: texts\n    columns: 4`, 'own.yaml:6: task "text": "columns" is of tasks of kind storyboard; this one is of kind texts'],
  [`${small}  text: { kind: texts, needs: low }`, '"needs" is a list of names'],
  [`${small}  text:\n    kind: texts\n    needs:\n      - low\n      - low-trakc`, 'own.yaml:8: task "text": it needs "low-trakc", and there is no such task; did you mean "low-track"?'],
  [`${small}  text: { kind: texts, needs: [text] }`, 'it needs itself'],
  [`${small}  text: { kind: texts, needs: [low, low] }`, 'it needs "low" twice'],
  [`${small}  text: { kind: texts, needs: [[low]] }`, 'it needs ["low"], and there is no such task; there are low, low-track'],
  [`${small}  text: { kind: texts, each: chunk }`, '"each" is video for this kind, not "chunk"'],
  [`${small}  text: { kind: texts, class: encode }`, 'there is no class "encode"'],
  [`${small}  sound: { kind: sound, class: pictures }`, 'there is no class "pictures"; did you mean "picture"?'],
  [`${small}  text: { kind: texts, priority: 101 }`, '"priority" is 101, not a whole number from 0 to 100'],
  [`${small}  text: { kind: texts, priority: }`, '"priority" is null'],
  [`${small}  text: { kind: texts, priority: high }`, '"priority" is "high"'],
  [`${small}  text: { kind: texts, attempts: 0 }`, '"attempts" is 0, not a whole number from 1 to 10'],
  [`${small}  board: { kind: storyboard, every: 0 }`, 'from 1 to 600 of seconds, or auto'],
  [`${small}  board: { kind: storyboard, width: 4.5 }`, '"width" is 4.5'],
  [`${small}  faces: { kind: posters, count: 7 }`, 'from 1 to 6'],
  [`${small}  more: { kind: encode, rungs: other }`, 'there is no rungs "other"; did you mean "others"?'],
  [`${small}  more: { kind: encode }`, '"rungs" is missing'],
  [`${small}  more: { kind: encode, rungs: others }`, 'own.yaml:4: task "more": no task of kind join needs it'],
  [`${small}  more: { kind: encode, rungs: lowest }\n  tracks: { kind: join, needs: [more] }`, '"more" makes the same rungs'],
  [`${small}  again: { kind: join, needs: [low] }`, '"low-track" and "again" both join it'],
  [`${small}  again: { kind: join, needs: [low-track] }`, 'it joins nothing'],
  [`${small}  a: { kind: texts }\n  b: { kind: texts }`, 'own.yaml:5: task "b": it is the second of kind texts'],
  [`${small}  mark: { kind: watermark, image: mark.png }`, 'no task of kind encode needs it'],
  [`${small}  mark: { kind: watermark }`, '"image" is the path of a PNG, JPEG or WebP'],
  [`${small}  mark: { kind: watermark, image: lost.png }`, 'own.yaml:4: task "mark": lost.png cannot be read'],
  [`${small}  mark: { kind: watermark, image: mark.png, place: center }`, 'there is no place "center"; did you mean "centre"?'],
  [`${small}  mark: { kind: watermark, image: mark.png, opacity: 60 }`, '60 is not a number from 0.05 to 1'],
  [`${small}  mark: { kind: watermark, image: mark.png }\n  more: { kind: encode, rungs: others, needs: [mark] }\n  tracks: { kind: join, needs: [more] }`, 'it has not the watermark of "low"'],
  ['tasks:\n  a: { kind: texts, needs: [c] }\n  b: { kind: sound, needs: [a] }\n  c: { kind: posters, needs: [b] }', 'own.yaml:2: tasks wait for each other for ever: a needs c needs b needs a'],
  [`tasks:\n${Array.from({ length: 33 }, (_, index) => `  t${index}: { kind: texts }`).join('\n')}`, 'there are 33 tasks; 32 are the most'],
  ['tasks: { a: { kind', 'own.yaml:1: '],
  ['tasks: *lost', /^own\.yaml: .*lost/],
  [`a: &a [1]\nb: &b [${'*a, '.repeat(20)}]\nc: &c [${'*b, '.repeat(20)}]\ntasks: [*c, *c]`, /^own\.yaml: /],
  [`tasks: ${'['.repeat(30_000)}`, /^own\.yaml/],
  [`# ${'x'.repeat(70_000)}`, 'own.yaml: more than 64 KiB'],
  ['tasks: { __proto__: { kind: texts } }', 'the name of a task is a letter'],
];

t.test('what is wrong is said, with its line, and with what may have been meant', async (t) => {
  for (const [text, words] of wrongs) t.match(refused(text), words, text.slice(-60));
  t.equal(refused(small), 'taken');
});

t.test('whatever is written, it is a pipeline that can be carried out or a sentence', async (t) => {
  const random = new Random(8);
  const one = <Value>(values: readonly Value[]): Value | undefined => values[random.below(values.length)];
  const names = ['low', 'low-track', 'rest', 'tracks', 'mark', 'text', 'board', 'a'];
  const rare = [null, true, 0, -1, 1.5, 1e9, '', 'low', 'encode', [], ['low'], {}, { kind: 'texts' }, '😀', '*a', '&a', '<<'];
  /** Mostly what could stand there, so that many come far. */
  const value = (key: string): unknown => {
    if (random.below(12) === 0) return one(rare);
    const likely: Readonly<Record<string, readonly unknown[]>> = {
      kind: [...Object.keys(kindRules), 'encode', 'encode', 'join', 'join'],
      rungs: ['lowest', 'others', 'all'],
      needs: [[], [], [one(names)], [one(names)], [one(names), one(names)]],
      class: ['encode', 'picture', 'light', 'captions'],
      each: ['chunk', 'rung', 'track', 'video'],
      image: ['mark.png'],
      place: ['centre', 'top-left'],
      opacity: [0.5, 1],
    };
    return one(likely[key] ?? [1, 2, 5, 64, 100]);
  };
  const ofKind: Readonly<Record<string, readonly string[]>> = { encode: ['rungs'], storyboard: ['every', 'columns'], watermark: ['image', 'opacity'], posters: ['count'], preview: ['seconds'] };
  const taskOf = (): unknown => {
    const kind = value('kind');
    const keys = [...(ofKind[String(kind)] ?? []), 'needs', ...(random.below(6) === 0 ? [one(['class', 'each', 'priority', 'attempts', 'rungs', 'kinds', 'width'])] : [])];
    return random.below(30) === 0 ? one(rare) : { kind, ...Object.fromEntries(keys.map((key) => [key, value(key ?? '')])) };
  };
  const wholeOf = (): unknown => {
    const tasks = Object.fromEntries(Array.from({ length: 1 + random.below(4) }, () => [one(names), taskOf()]));
    return random.below(40) === 0 ? one(rare) : { tasks, ...(random.below(40) === 0 && { more: one(rare) }) };
  };
  let taken = 0;
  for (let round = 0; round < 4_000; round += 1) {
    const plain = Buffer.from(JSON.stringify(wholeOf()));
    const text = (round % 3 === 0 ? random.mutate(plain) : plain).toString('utf8');
    try {
      const { tasks } = parse(text);
      taken += 1;
      const sound = cycleOf(tasks) === null && contradictionOf({ tasks }) === null && tasks.length > 0 && tasks.every((task) => task.needs.every((need) => tasks.some(({ name }) => name === need)));
      const bounded = tasks.every(({ kind, class: jobClass, priority, attempts }) => kindRules[kind].classes.includes(jobClass) && priority >= 0 && priority <= 100 && attempts >= 1 && attempts <= 10);
      if (!sound || !bounded) t.fail(text);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw new Error(text, { cause: error });
    }
  }
  t.ok(taken > 40, `${taken} were taken`);
});
