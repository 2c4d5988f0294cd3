import t from 'tap';
import { PretendStream } from './pretend-stream.ts';
import { judgeReload } from './reload.ts';

// Segments 1-8 are closed, segment 9 is open with parts 0 and 1. PART-TARGET is 0.335, so the limit is 9 parts.
const stream = (): PretendStream => new PretendStream().segments(8).part().part();
const judge = (query: string, of = stream(), track = 'v0') => judgeReload(of.snapshot(), track, query);

t.test('the table of the rules', async (t) => {
  const table: [query: string, outcome: string][] = [
    // Nothing asked for: answered as it is.
    ['', 'answer'],
    ['token=x', 'answer'],
    ['_HLS_start_offset=3', 'answer'],
    ['_HLS_skip=YES', 'answer skip'],
    ['_HLS_skip=v2', 'answer skip'],
    ['_HLS_skip=NO', 'answer'],
    // Already there, or long gone.
    ['_HLS_msn=8', 'answer lasting'],
    ['_HLS_msn=0&_HLS_part=0', 'answer lasting'],
    ['_HLS_msn=3&_HLS_part=77', 'answer lasting'],
    ['_HLS_msn=8&_HLS_part=5', 'answer lasting'],
    ['_HLS_msn=8&_HLS_part=6', 'answer lasting'], // one beyond the last part of 8 is part 0 of 9
    ['_HLS_msn=8&_HLS_part=99999', 'answer lasting'],
    ['_HLS_msn=9&_HLS_part=1&_HLS_skip=YES', 'answer skip lasting'],
    ['x=1&_HLS_part=0&_HLS_msn=9', 'answer lasting'],
    // Not there yet.
    ['_HLS_msn=9', 'wait'],
    ['_HLS_msn=10', 'wait'],
    ['_HLS_msn=9&_HLS_part=2', 'wait'],
    ['_HLS_msn=9&_HLS_part=10', 'wait'],
    ['_HLS_msn=10&_HLS_part=0', 'wait'],
    ['_HLS_msn=10&_HLS_part=8&_HLS_skip=YES', 'wait skip'],
    // Too far ahead.
    ['_HLS_msn=11', 'msn-too-far'],
    ['_HLS_msn=4294967295', 'msn-too-far'],
    ['_HLS_msn=9&_HLS_part=11', 'part-too-far'],
    ['_HLS_msn=10&_HLS_part=9', 'part-too-far'],
    // Not a question.
    ['_HLS_part=2', 'part-without-msn'],
    ['_HLS_msn=', 'bad-directive'],
    ['_HLS_msn', 'bad-directive'],
    ['_HLS_msn=-1', 'bad-directive'],
    ['_HLS_msn=9.0', 'bad-directive'],
    ['_HLS_msn=1e1', 'bad-directive'],
    ['_HLS_msn=%39', 'bad-directive'],
    ['_HLS_msn=99999999999', 'bad-directive'],
    ['_HLS_msn=9&_HLS_msn=9', 'bad-directive'],
    ['_HLS_msn=9&_HLS_part=1&_HLS_part=1', 'bad-directive'],
    ['_HLS_msn=9&_HLS_part=x', 'bad-directive'],
  ];
  for (const [query, expected] of table) {
    const judged = judge(query);
    const words =
      judged.kind === 'refuse'
        ? judged.code
        : [judged.kind, judged.skip ? 'skip' : '', judged.kind === 'answer' && judged.lasting ? 'lasting' : ''].filter(Boolean).join(' ');
    t.equal(words, expected, query);
    if (judged.kind === 'refuse') t.equal(judged.status, 400);
    if (judged.kind === 'wait') t.equal(judged.deadlineMs, 6000, 'three target durations');
  }
});

/** What has happened by the time that the wait is over. */
const awaited = (query: string, from: PretendStream, steps: [name: string, step: () => unknown][]): string => {
  const judged = judgeReload(from.snapshot(), 'v0', query);
  if (judged.kind !== 'wait') return judged.kind;
  if (judged.ready(from.snapshot())) return 'at once';
  for (const [name, step] of steps) {
    step();
    if (judged.ready(from.snapshot())) return name;
  }
  return 'never';
};

t.test('a number alone waits for the whole segment, also where Safari means its first part', async (t) => {
  const live = stream();
  t.equal(awaited('_HLS_msn=9', live, [['part', () => live.part()], ['closed', () => live.close()]]), 'closed');
  const between = new PretendStream().segments(8);
  t.equal(awaited('_HLS_msn=9', between, [['part', () => between.part()], ['closed', () => between.close()]]), 'closed');
});

t.test('a part is waited for, or anything later', async (t) => {
  const live = stream();
  t.equal(awaited('_HLS_msn=9&_HLS_part=3', live, [['2', () => live.part()], ['3', () => live.part()]]), '3');
  const late = stream();
  t.equal(awaited('_HLS_msn=9&_HLS_part=2', late, [['two segments', () => late.segments(2)]]), 'two segments');
});

t.test('a part that its segment never gets is part 0 of the next', async (t) => {
  const live = stream();
  const steps: [string, () => unknown][] = [['closed short', () => live.close()], ['first of the next', () => live.part()]];
  t.equal(awaited('_HLS_msn=9&_HLS_part=2', live, steps), 'first of the next');
});

t.test('during an outage the first part of the next segment is waited for, whatever epoch it will be of', async (t) => {
  const live = stream().part(0.4).close();
  t.equal(judge('_HLS_msn=12', live).kind, 'refuse');
  t.equal(judge('_HLS_msn=10&_HLS_part=9', live).kind, 'refuse');
  t.equal(judge('_HLS_msn=10&_HLS_part=8', live).kind, 'wait');
  t.equal(awaited('_HLS_msn=10&_HLS_part=0', live, [['back', () => live.epoch().part()]]), 'back');
});

t.test('the end releases every wait, and afterwards directives are ignored', async (t) => {
  const live = stream();
  t.equal(awaited('_HLS_msn=10&_HLS_part=3', live, [['end', () => live.end()]]), 'end');
  for (const query of ['_HLS_msn=99', '_HLS_part=1', '_HLS_msn=x', '_HLS_skip=YES']) {
    t.same(judge(query, live), { kind: 'answer', skip: false, lasting: false }, query);
  }
});

t.test('without parts a part is its segment', async (t) => {
  const plain = new PretendStream({ latency: 'standard' }).segments(3).part();
  t.equal(judge('_HLS_msn=3&_HLS_part=0', plain).kind, 'answer');
  t.equal(judge('_HLS_msn=4&_HLS_part=999', plain).kind, 'wait');
  t.equal(awaited('_HLS_msn=4&_HLS_part=0', plain, [['part', () => plain.part()], ['closed', () => plain.close()]]), 'closed');
});

t.test('parts of a second and more may be asked for three ahead', async (t) => {
  const tracks = [{ id: 'v0', kind: 'video', timescale: 1000, partTicks: 1000 } as const];
  const slow = new PretendStream({ tracks, targetDuration: 6 }).segments(2).part();
  t.equal(judge('_HLS_msn=3&_HLS_part=3', slow).kind, 'wait');
  t.equal(judge('_HLS_msn=3&_HLS_part=4', slow).kind, 'refuse');
});

t.test('equal questions have equal keys', async (t) => {
  const key = (query: string, track = 'v0'): string => {
    const judged = judge(query, stream(), track);
    return judged.kind === 'wait' ? judged.key : '';
  };
  t.equal(key('_HLS_msn=9&_HLS_part=2'), key('_HLS_part=2&_HLS_skip=YES&_HLS_msn=9'));
  t.not(key('_HLS_msn=9&_HLS_part=2'), key('_HLS_msn=9'));
  t.not(key('_HLS_msn=9'), key('_HLS_msn=9', 'a0'));
});
