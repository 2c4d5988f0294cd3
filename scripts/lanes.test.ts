/** Which test files run side by side: every file once, and nothing beside what wants the machine to itself. */
import t from 'tap';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { besideTheLongest, longest, mostlyWait, oneByOne, provePhases, testPhases, type Phase } from './lib/lanes.mjs';

const root = path.resolve(import.meta.dirname, '..');

/** The order in which lanes that are equally fast begin files. */
const begun = (lanes: Phase): string[][] => {
  const rounds: string[][] = [];
  for (;;) {
    const round = lanes.flatMap((queues) => queues.find((queue) => queue.length > 0)?.shift() ?? []);
    if (round.length === 0) return rounds;
    rounds.push(round);
  }
};

t.test('the files that are named are there', (t) => {
  for (const file of [...mostlyWait, longest, ...besideTheLongest]) t.ok(existsSync(path.join(root, file)), file);
  t.end();
});

t.test('whole servers run beside units, and those that wait beside both', (t) => {
  const [first = '', second = '', third = ''] = mostlyWait;
  const [lanes = []] = testPhases(['packager/a', 'packager/b', 'packager/c', 'test/a', ...mostlyWait.slice(0, 3)]);
  t.same(begun(lanes), [['test/a', 'packager/a', first], ['packager/b', 'packager/c', second], [third]]);
  t.end();
});

t.test('what is measured in time is proven alone, one file after the other', (t) => {
  const files = ['test/prove/a', ...besideTheLongest.slice(0, 2), longest, 'test/prove/b'].sort();
  const [together = [], alone = []] = provePhases(files);
  t.same(begun(together), [[longest, besideTheLongest[0]], [besideTheLongest[1]]]);
  t.same(begun(alone), [['test/prove/a'], ['test/prove/b']]);
  t.same(oneByOne(['b', 'a']).map(begun), [[['b'], ['a']]]);
  t.end();
});
