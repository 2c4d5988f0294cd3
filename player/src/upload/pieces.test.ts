import t from 'tap';
import { Random } from '../../../test/support/random.ts';
import { Pieces, unit } from './pieces.ts';
import type { Piece } from './pieces.ts';

const MiB = 4 * unit;
const drain = (pieces: Pieces, most: number): Piece[] => {
  const taken: Piece[] = [];
  for (let piece = pieces.take(most); piece; piece = pieces.take(most)) {
    taken.push(piece);
    pieces.hasLanded(piece);
  }
  return taken;
};
const spans = (pieces: Piece[]): string[] => pieces.map(({ from, to }) => `${from / unit}-${to / unit}`);

t.test('a file is sent from the front, in parts as large as they may be', async (t) => {
  const pieces = new Pieces(20 * MiB + 5);
  const taken = drain(pieces, 8 * MiB);
  t.same(taken, [
    { from: 0, to: 8 * MiB, size: 8 * MiB },
    { from: 8 * MiB, to: 16 * MiB, size: 8 * MiB },
    // The last one ends with the file.
    { from: 16 * MiB, to: 20 * MiB + 5, size: 8 * MiB },
  ]);
  t.ok(pieces.isWhole);
});

t.test('what leads to the index, and the index, go before everything else, and nothing more than they', async (t) => {
  const size = 100 * unit;
  const pieces = new Pieces(size, [{ from: 0, to: 16 }, { from: 32, to: 48 }, { from: 91 * unit + 7, to: 99 * unit + 3 }]);
  t.same(spans(drain(pieces, 8 * MiB)).slice(0, 6), ['0-1', '91-92', '92-96', '96-100', '1-2', '2-4']);
});

t.test('an index in the middle takes nothing with it that is not its own', async (t) => {
  const pieces = new Pieces(64 * unit, [{ from: 33 * unit, to: 35 * unit }]);
  t.same(spans(drain(pieces, 8 * MiB)).slice(0, 3), ['33-34', '34-35', '0-32']);
});

t.test('what did not arrive is taken again, also in smaller parts', async (t) => {
  const pieces = new Pieces(8 * unit);
  const whole = pieces.take(8 * unit);
  t.equal(pieces.take(8 * unit), null, 'it is under way');
  if (whole) pieces.giveBack(whole);
  t.same(spans(drain(pieces, 2 * unit)), ['0-2', '2-4', '4-6', '6-8']);
});

t.test('what the server says counts, and half a unit is sent again', async (t) => {
  const pieces = new Pieces(8 * unit + 10);
  pieces.replaceLanded([{ from: 0, to: unit + 100 }, { from: 3 * unit, to: 5 * unit }, { from: 6 * unit + 1, to: 8 * unit + 10 }]);
  t.equal(pieces.landedBytes, 4 * unit + 10);
  t.same(spans(drain(pieces, 8 * unit)), ['1-2', '2-3', '5-6', '6-7']);
  pieces.lose([{ from: 2 * unit, to: 4 * unit }]);
  t.notOk(pieces.isWhole);
  t.same(spans(drain(pieces, 8 * unit)), ['2-4']);
  pieces.replaceLanded([{ from: -5, to: 1e12 }]);
  t.ok(pieces.isWhole);
});

t.test('giving back what has landed meanwhile takes nothing away', async (t) => {
  const pieces = new Pieces(4 * unit);
  const piece = pieces.take(4 * unit);
  if (piece) pieces.hasLanded(piece);
  if (piece) pieces.giveBack(piece);
  t.ok(pieces.isWhole);
});

t.test('whatever is lost on the way, everything lands once, in parts that the server can count', async (t) => {
  const random = new Random(21);
  for (let round = 0; round < 300; round++) {
    const size = 1 + random.below(40 * unit);
    const from = random.below(size);
    const first = [{ from: 0, to: Math.min(size, 16) }, { from, to: Math.min(size, from + 1 + random.below(5 * unit)) }];
    const pieces = new Pieces(size, first);
    const landed = new Uint8Array(Math.ceil(size / unit));
    const underWay: Piece[] = [];
    for (let step = 0; !pieces.isWhole && step < 2_000; step++) {
      const piece = random.below(3) > 0 ? pieces.take(unit << random.below(6)) : null;
      if (piece) underWay.push(piece);
      if (piece && (piece.from % piece.size !== 0 || piece.to !== Math.min(size, piece.from + piece.size))) t.fail(`${JSON.stringify(piece)} of ${size}`);
      if (piece && underWay.length < 4) continue;
      const [done] = underWay.splice(random.below(underWay.length), 1);
      if (!done) continue;
      if (random.below(4) === 0) pieces.giveBack(done);
      else {
        pieces.hasLanded(done);
        for (let at = done.from; at < done.to; at += unit) landed[at / unit] = (landed[at / unit] ?? 0) + 1;
      }
    }
    if (!pieces.isWhole || landed.some((times) => times !== 1)) t.fail(`round ${round}: ${landed.join('')}`);
  }
  t.pass('300 files');
});
