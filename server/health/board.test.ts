import t from 'tap';
import { FindingBoard } from './board.ts';
import type { Judgement } from './judge.ts';

const high: Judgement = { code: 'bitrateHigh', severity: 'warning', after: 5_000, stays: 10_000, params: { kbps: 20_000 } };
const none: Judgement[] = [];

t.test('what is true for too short a time never appears', async (t) => {
  const board = new FindingBoard();
  board.look([high], 0, 1_000);
  board.look([high], 4_999, 5_999);
  t.same(board.findings, []);
  board.look(none, 5_500, 6_500);
  board.look([high], 6_000, 7_000);
  board.look([high], 10_000, 11_000);
  t.same(board.findings, [], 'a break begins it again');
});

t.test('what stands has been true since it began, says its newest numbers, and goes when it has been well for long enough', async (t) => {
  const board = new FindingBoard();
  board.look([high], 0, 1_000);
  board.look([high], 5_000, 6_000);
  t.same(board.findings, [{ code: 'bitrateHigh', severity: 'warning', since: 1_000, params: { kbps: 20_000 } }]);
  board.look([{ ...high, params: { kbps: 30_000 } }], 6_000, 7_000);
  t.match(board.findings, [{ since: 1_000, params: { kbps: 30_000 } }]);
  t.same(board.look(none, 15_999, 16_999), []);
  t.equal(board.findings.length, 1);
  t.match(board.look(none, 16_000, 17_000), [{ code: 'bitrateHigh', since: 1_000 }]);
  t.same(board.findings, []);
});

t.test('the worst comes first', async (t) => {
  const board = new FindingBoard();
  const at = (code: Judgement['code'], severity: Judgement['severity']): Judgement => ({ ...high, code, severity, after: 0 });
  board.look([at('bitrateLow', 'info'), at('gopSizeLong', 'warning'), at('srtDropped', 'error')], 0, 0);
  t.same(board.findings.map(({ severity }) => severity), ['error', 'warning', 'info']);
});
