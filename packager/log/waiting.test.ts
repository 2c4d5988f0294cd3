import t from 'tap';
import { sampleEpoch } from './sample.ts';
import { WaitingQueue, type WaitingFragment } from './waiting.ts';

const item = (seq: number, announced: number[] = [], size = 100): WaitingFragment => ({
  ...{ kind: 'fragment', epoch: sampleEpoch(0), seq, size, crc: 0, data: [Buffer.alloc(size)] },
  facts: { dts: seq, firstPts: seq, duration: 1, key: true, segmentStart: true, gap: false },
  ...{ announce: () => announced.push(seq), cancelStall: () => undefined, announced: false, writing: false },
});

t.test('the oldest give up their bytes, but not what is being written; all are announced once, in order', async (t) => {
  const queue = new WaitingQueue(500);
  const announced: number[] = [];
  const dropped: number[] = [];
  for (let seq = 0; seq < 12; seq += 1) {
    const pushed = item(seq, announced);
    if (seq === 2) pushed.writing = true;
    queue.push(pushed);
    queue.announceAll();
    queue.dropOldest((one) => dropped.push(one));
    t.ok(queue.bytes <= 500);
    if (seq === 8) queue.shift();
  }
  t.same(announced, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  t.same(dropped, [0, 1, 3, 4, 5, 6, 7]);
  t.equal(queue.data(0), null);
  t.ok(queue.data(2));
});

t.test('a day without a disk costs each fragment no more than the first', async (t) => {
  const queue = new WaitingQueue(1_000);
  let looked = 0;
  const started = performance.now();
  for (let seq = 0; seq < 20_000; seq += 1) {
    queue.push(item(seq, [], 10));
    queue.announceAll();
    queue.dropOldest(() => (looked += 1));
  }
  t.equal(looked, 19_900);
  t.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
});
