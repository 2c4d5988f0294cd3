import t from 'tap';
import { acceptsGzip, matchesEtag } from './headers.ts';
import { judgeRange } from './range.ts';

t.test('single ranges of a file of 1000 bytes', async (t) => {
  const table: [string | undefined, string][] = [
    [undefined, 'whole'],
    ['bytes=0-0', '0-1'],
    ['bytes=0-', '0-1000'],
    ['bytes=10-19', '10-20'],
    ['bytes=990-2000', '990-1000'],
    ['bytes=-5', '995-1000'],
    ['bytes=-5000', '0-1000'],
    ['bytes=999-', '999-1000'],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['bytes= 0-1', 'whole'],
    ['bytes=0x1-2', 'whole'],
    ['bytes=99999999999999999999-', 'whole'],
    ['items=0-1', 'whole'],
  ];
  for (const [header, expected] of table) {
    const judged = judgeRange(header, 1000);
    t.equal(judged.kind === 'part' ? `${judged.from}-${judged.to}` : judged.kind, expected, String(header));
  }
});

t.test('tags are compared weakly, and gzip can be declined', async (t) => {
  t.ok(matchesEtag('"a"', '"a"'));
  t.ok(matchesEtag('"x", W/"a"', '"a"'));
  t.ok(matchesEtag('*', '"a"'));
  t.notOk(matchesEtag('"ab"', '"a"'));
  t.notOk(matchesEtag(undefined, '"a"'));
  for (const yes of ['gzip', 'deflate, gzip, br', 'GZIP;q=0.5', 'gzip;q=1.0']) t.ok(acceptsGzip(yes), yes);
  for (const no of [undefined, '', 'br', 'gzip;q=0', 'gzip; q=0.000', 'xgzip', '*']) t.notOk(acceptsGzip(no), String(no));
});
