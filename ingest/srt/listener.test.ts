import t from 'tap';
import { ability, extensionType, writeText } from './handshake.ts';
import { controlType } from './packet.ts';
import { Bench, TestCaller, type Wishes } from './test-caller.ts';

t.test('an induction costs nothing and gets a cookie; the conclusion is asked of the desk', async (t) => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  caller.give(caller.handshake({}));
  t.match(caller.answer(), { version: 5, extension: 0x4a17, socket: 77 });
  t.same(bench.listener.size, { calls: 0, pending: 0, open: 0 });
  caller.give(caller.conclusion(caller.induce(), { streamId: '#!::r=live,m=publish,s=the-key' }));
  t.match(bench.said('ask'), [{ address: '192.0.2.1', streamKey: 'the-key', software: 'libsrt 1.5.1', keyMaterial: null }]);
  t.equal(bench.sent.length, 0, 'nothing is said before the desk has answered');
  bench.listener.onOrder({ type: 'accept', call: 1, passphrase: null });
  const answer = caller.answer();
  t.match(answer, { version: 5, type: 0xffff_ffff, initialSequence: caller.initialSequence });
  t.not(answer?.socket, 77);
});

t.test('a conclusion that comes again gets the same answer, and begins nothing again, not even after the end', async (t) => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  const cookie = caller.induce();
  for (let time = 0; time < 5; time += 1) caller.give(caller.conclusion(cookie));
  t.equal(bench.said('ask').length, 1);
  bench.listener.onOrder({ type: 'accept', call: 1, passphrase: null });
  const first = bench.sent.splice(0)[0]?.bytes;
  caller.give(caller.conclusion(cookie));
  t.same(bench.sent.splice(0)[0]?.bytes, first);
  bench.listener.onOrder({ type: 'end', call: 1 });
  bench.heard();
  caller.give(caller.conclusion(cookie));
  t.equal(bench.said('ask').length, 1);
  t.equal(bench.sent.length, 0);
  bench.pass(11_000);
  t.same(bench.listener.size, { calls: 0, pending: 0, open: 0 });
});

t.test('who asked again and again and falls silent while the desk thinks has gone; who never repeats itself may still wait', async (t) => {
  const bench = new Bench();
  const quiet = new TestCaller(bench, 76);
  quiet.give(quiet.conclusion(quiet.induce()));
  const caller = new TestCaller(bench);
  const cookie = caller.induce();
  for (let time = 0; time < 8; time += 1) {
    caller.give(caller.conclusion(cookie));
    bench.pass(250);
  }
  t.same(bench.said('closed'), [], 'it waits');
  t.same(bench.listener.size, { calls: 2, pending: 2, open: 0 });
  bench.pass(1_300);
  t.match(bench.said('closed'), [{ call: 2, reason: 'lost' }]);
  t.same(bench.listener.size, { calls: 1, pending: 1, open: 0 }, 'its place is free');
  bench.heard();
  bench.listener.onOrder({ type: 'accept', call: 2, passphrase: null });
  t.equal(bench.sent.length, 0, 'a yes that comes too late is nobody\'s');
  caller.give(caller.conclusion(cookie));
  t.match(bench.said('ask').at(-1), { call: 3 }, 'should it have been the line, it is asked about anew');
  bench.listener.onOrder({ type: 'accept', call: 1, passphrase: null });
  t.match(quiet.answer(), { version: 5, type: 0xffff_ffff });
});

t.test('who was not heard because nobody listened for a while has not gone', async (t) => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  const cookie = caller.induce();
  for (let time = 0; time < 2; time += 1) {
    caller.give(caller.conclusion(cookie));
    bench.pass(250);
  }
  bench.now += 3_000_000;
  bench.pass(20);
  caller.give(caller.conclusion(cookie));
  bench.pass(1_000);
  t.same(bench.said('closed'), []);
  t.same(bench.listener.size, { calls: 1, pending: 1, open: 0 });
  bench.pass(1_000);
  t.match(bench.said('closed'), [{ call: 1, reason: 'lost' }], 'until it falls silent itself');
});

t.test('a cookie of somebody else, of too long ago, or none', async (t) => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  const cookie = caller.induce();
  caller.give(caller.conclusion(cookie + 1));
  t.equal(caller.answer()?.type, 1004);
  const other = new TestCaller(bench, 78, { port: 5001 });
  other.give(other.conclusion(cookie));
  t.equal(other.answer()?.type, 1004);
  bench.now += 60_000_000;
  const later = new TestCaller(bench, 79);
  later.give(later.conclusion(cookie));
  t.equal(bench.said('ask').length, 1, 'the one of the last minute still counts');
  bench.now += 120_000_000;
  const tooLate = new TestCaller(bench, 80);
  tooLate.give(tooLate.conclusion(cookie));
  t.equal(tooLate.answer()?.type, 1004);
});

t.test('what is not a live stream for us is refused with its code', async (t) => {
  const flags = ability.timedSend | ability.timedReceive | ability.retransmitFlag;
  const cases: [string, Wishes, number][] = [
    ['the stream API', { flags: flags | ability.stream }, 1012],
    ['file congestion', { more: [{ type: extensionType.congestion, content: writeText('file') }] }, 1013],
    ['an old version', { version: 0x10203 }, 1008],
    ['a bonded connection', { more: [{ type: extensionType.group, content: Buffer.alloc(8) }] }, 1015],
    ['keys of another cipher', { more: [{ type: extensionType.keyMaterialRequest, content: Buffer.alloc(64) }] }, 1017],
    ['a request to watch', { streamId: '#!::r=show,m=request' }, 2405],
    ['no mode, which is to watch', { streamId: '#!::r=show' }, 2405],
    ['no key', { streamId: '' }, 2400],
    ['words that no key has', { streamId: 'a key with spaces' }, 2400],
  ];
  for (const [what, wishes, code] of cases) {
    const bench = new Bench();
    const caller = new TestCaller(bench);
    caller.give(caller.conclusion(caller.induce(), wishes));
    t.equal(caller.answer()?.type, code, what);
    t.same(bench.listener.size, { calls: 0, pending: 0, open: 0 });
  }
});

t.test('the same wrong question is answered without thinking after a few times, and thought about again later', async (t) => {
  const bench = new Bench();
  for (let index = 0; index < 50; index += 1) {
    const caller = new TestCaller(bench, 100 + index);
    caller.give(caller.conclusion(caller.induce(), { streamId: 'wrong' }));
    const ask = bench.said('ask').at(-1);
    if (ask) bench.listener.onOrder({ type: 'refuse', call: ask.call, fault: 'unknown-key' });
    t.equal(caller.answer()?.type, 2401);
    bench.pass(100);
  }
  const asked = bench.said('ask').length;
  t.ok(asked >= 4 && asked <= 8, `${asked} of 50 questions came to the desk`);
  const right = new TestCaller(bench, 500);
  right.give(right.conclusion(right.induce(), { streamId: 'right' }));
  t.equal(bench.said('ask').length, asked + 1, 'another key from the same address is asked at once');
});

t.test('10,000 half-open handshakes: memory bounded, and somebody else gets in', async (t) => {
  const bench = new Bench();
  for (let index = 0; index < 10_000; index += 1) {
    const caller = new TestCaller(bench, 1000 + index, { port: 1 + (index % 60_000), address: `198.51.100.${index % 4}` });
    const cookie = caller.induce();
    if (index % 2 === 0) caller.give(caller.conclusion(cookie));
  }
  t.ok(bench.listener.size.calls <= 256 && bench.listener.size.pending <= 256);
  const good = new TestCaller(bench, 9, { port: 9, address: '203.0.113.9' });
  good.connect();
  t.equal(bench.listener.size.open, 1);
  bench.pass(12_000);
  t.equal(bench.listener.size.pending, 0, 'what nobody answers is forgotten');
});

t.test('nothing is taken from a wrong address, or for a socket that is not there', async (t) => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  caller.connect();
  const thief = new TestCaller(bench, 77, { port: 6000, initialSequence: caller.initialSequence });
  thief.remote = caller.remote;
  thief.control(controlType.shutdown, { body: Buffer.alloc(4) });
  thief.data(0, Buffer.from('no'));
  bench.pass(500);
  t.equal(bench.said('closed').length + bench.said('media').length, 0);
  t.equal(bench.listener.counters.strays, 2);
});

t.test('a full house, and one that closes, say so', async (t) => {
  const bench = new Bench({ connections: 1 });
  new TestCaller(bench, 1, { port: 1 }).connect();
  const second = new TestCaller(bench, 2, { port: 2 });
  second.give(second.conclusion(second.induce()));
  t.equal(second.answer()?.type, 1003);
  bench.listener.onOrder({ type: 'stop-accepting' });
  const third = new TestCaller(bench, 3, { port: 3 });
  third.give(third.conclusion(third.induce()));
  t.equal(third.answer()?.type, 2503);
});
