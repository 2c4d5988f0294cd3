import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { aac, h264, madeBy } from '../../packager/media/mpegts/test-stream.ts';
import type { PublishVerdict } from '../../packager/media/publish.ts';
import { RecordingDesk, type RecordingSink } from '../rtmp/test-desk.ts';
import { defaultLimits } from './limits.ts';
import { SrtSession } from './session.ts';
import type { Order } from './wire.ts';

const stream = await madeBy(...h264, ...aac);

class Stage {
  readonly clock = new FakeClock();
  readonly desk = new RecordingDesk();
  readonly orders: Order[] = [];
  readonly lines: { readonly event: string; readonly [field: string]: unknown }[] = [];
  closed = 0;
  readonly session = new SrtSession({
    ...{ call: 7, address: '192.0.2.1', software: 'libsrt 1.5.1', desk: this.desk, clock: this.clock, limits: defaultLimits },
    log: (line) => void this.lines.push(line),
    order: (order) => void this.orders.push(order),
    onClosed: () => {
      this.closed += 1;
    },
  });
  get sink(): RecordingSink {
    const [sink] = this.desk.sinks;
    if (!sink) throw new Error('nobody was let in');
    return sink;
  }
  piece(from: number, to: number): void {
    this.session.media({ bytes: Uint8Array.from(stream.subarray(from, to)), missing: 0 });
  }
  taken(): number {
    return this.orders.reduce((sum, order) => sum + (order.type === 'taken' ? order.bytes : 0), 0);
  }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('let in, taken apart, ended', async (t) => {
  const stage = new Stage();
  await stage.session.ask('good-key', null);
  t.same(stage.orders, [{ type: 'accept', call: 7, passphrase: null }]);
  t.match(stage.desk.requests[0], { protocol: 'srt', key: 'good-key', clock: { timescale: 90_000, bits: 33 } });
  for (let at = 0; at < stream.length; at += 1316) stage.piece(at, at + 1316);
  t.equal(stage.taken(), stream.length);
  stage.session.ended('announced', null);
  t.equal(stage.sink.units.filter(({ kind }) => kind === 'video').length, 60, 'the last picture too');
  t.same(stage.sink.ends, ['announced']);
  t.equal(stage.closed, 1);
  t.notMatch(JSON.stringify(stage.lines), 'good-key');
});

t.test('a full core takes nothing more; the end waits for what came before it', async (t) => {
  const stage = new Stage();
  await stage.session.ask('good-key', null);
  stage.piece(0, 30_000);
  const before = stage.taken();
  stage.sink.fill();
  stage.piece(30_000, 60_000);
  stage.piece(60_000, stream.length);
  stage.session.ended('lost', null);
  t.equal(stage.taken(), before + 30_000, 'what made it full is in, the rest waits');
  t.same(stage.sink.ends, []);
  stage.sink.drain();
  await turn();
  t.equal(stage.taken(), stream.length);
  t.same(stage.sink.ends, ['lost']);
  t.equal(stage.sink.units.filter(({ kind }) => kind === 'video').length, 60);
});

t.test('who is refused is told why', async (t) => {
  const stage = new Stage();
  await stage.session.ask('bad-key', null);
  t.same(stage.orders, [{ type: 'refuse', call: 7, fault: 'unknown-key' }]);
  t.equal(stage.closed, 1);
});

t.test('a passphrase that is needed, and one that is not', async (t) => {
  for (const [passphrase, keys, fault] of [['secret', null, 'passphrase-needed'], ['secret', Buffer.alloc(3), 'passphrase-needed'], [null, Buffer.alloc(72), 'no-passphrase-set']] as const) {
    const stage = new Stage();
    stage.desk.decide = async (request): Promise<PublishVerdict> =>
      (await request.proves?.(passphrase)) ? stage.desk.welcome() : { ok: false, code: 'wrong-passphrase', message: 'no' };
    await stage.session.ask('good-key', keys);
    t.same(stage.orders, [{ type: 'refuse', call: 7, fault }]);
  }
});

t.test('sent away, silent, or gone before the answer', async (t) => {
  const evicted = new Stage();
  await evicted.session.ask('good-key', null);
  evicted.desk.evict(0, 'taken-over');
  t.same(evicted.orders.at(-1), { type: 'end', call: 7 });
  t.same(evicted.sink.ends, ['evicted']);

  const silent = new Stage();
  await silent.session.ask('good-key', null);
  silent.piece(0, 60_000);
  silent.clock.advance(14_000);
  silent.session.media({ bytes: Uint8Array.from(Buffer.alloc(2_000, 1)), missing: 0 });
  silent.clock.advance(2_000);
  t.same(silent.sink.ends, ['timeout'], 'bytes that are no media do not count');

  const gone = new Stage();
  const thinking = Promise.withResolvers<void>();
  gone.desk.decide = async () => {
    await thinking.promise;
    return gone.desk.welcome();
  };
  const asked = gone.session.ask('good-key', null);
  t.equal(gone.desk.requests[0]?.left?.aborted, false);
  gone.session.ended('announced', null);
  t.equal(gone.desk.requests[0]?.left?.aborted, true, 'nobody has to make room for it any more');
  thinking.resolve();
  await asked;
  t.same(gone.sink.ends, ['announced']);
  t.equal(gone.closed, 1);

  const slow = new Stage();
  slow.desk.decide = () => new Promise<never>(() => undefined);
  void slow.session.ask('good-key', null);
  slow.clock.advance(11_000);
  t.same(slow.orders, [{ type: 'refuse', call: 7, fault: 'fault' }]);
});

t.test('what the line has counted reaches the core, and so does what is not carried', async (t) => {
  const stage = new Stage();
  const counted = { packets: 100, bytes: 131_600, lost: 7, recovered: 5, dropped: 2, doubled: 1, late: 1, beyond: 0, undecrypted: 3, again: 6, rekeyed: 0, rtt: 42_500, latencyMs: 1_200, drift: 10 };
  stage.session.measured(counted);
  await stage.session.ask('good-key', null);
  t.same(stage.sink.lines, [], 'nobody hears of it before the sender is in');
  stage.session.measured(counted);
  t.same(stage.sink.lines, [{ packets: 100, bytes: 131_600, lost: 7, recovered: 5, dropped: 2, again: 6, undecrypted: 3, damaged: 0, rttMs: 42.5, latencyMs: 1_200, encrypted: false }]);
  const mp2 = await madeBy(...h264, ...['-c:a', 'mp2']);
  stage.session.media({ bytes: Uint8Array.from(mp2), missing: 0 });
  t.match(stage.sink.left, [/^audio MP3$/]);
});
