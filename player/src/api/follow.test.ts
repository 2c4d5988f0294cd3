import t from 'tap';
import { followChannel, readChannel } from './follow.ts';
import type { ChannelNow, Socket } from './follow.ts';

const now = (state: ChannelNow['state']): ChannelNow => ({
  state,
  videoId: null,
  startedAt: null,
  viewers: 0,
  title: 'T',
});
const message = (state: ChannelNow['state'], type = 'update') => ({
  data: JSON.stringify({ topic: 'channel:@mill', type, data: now(state) }),
});

const bench = (polled: ChannelNow | null = null, grant?: string) => {
  const sockets: (Socket & { sent: string[]; closed: boolean })[] = [];
  let timers: { at: number; run: () => void }[] = [];
  let clock = 0;
  let polls = 0;
  const heard: string[] = [];
  const stop = followChannel('mill', (news) => heard.push(news.state), {
    open() {
      const socket = {
        sent: [] as string[],
        closed: false,
        send: (text: string) => void socket.sent.push(text),
        close: () => void (socket.closed = true),
        onopen: null as Socket['onopen'],
        onmessage: null as Socket['onmessage'],
        onclose: null as Socket['onclose'],
      };
      sockets.push(socket);
      return socket;
    },
    poll: async () => (polls++, polled),
    later(milliseconds, run) {
      const timer = { at: clock + milliseconds, run };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    random: () => 1,
    grant,
  });
  const pass = async (milliseconds: number) => {
    const end = clock + milliseconds;
    for (;;) {
      const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      clock = next.at;
      timers = timers.filter((other) => other !== next);
      next.run();
      await Promise.resolve();
      await Promise.resolve();
    }
    clock = end;
  };
  return { sockets, heard, stop, pass, polls: () => polls, waiting: () => timers.length };
};

t.test('it subscribes when the socket opens and passes on what the topic says', async (t) => {
  const { sockets, heard, pass, polls } = bench();
  sockets[0]?.onopen?.();
  t.same(sockets[0]?.sent, ['{"subscribe":"channel:@mill"}']);
  sockets[0]?.onmessage?.(message('offline', 'snapshot'));
  sockets[0]?.onmessage?.(message('live'));
  await pass(60_000);
  t.same(heard, ['offline', 'live']);
  t.equal(polls(), 0, 'a socket that speaks makes polling needless');
});

t.test('whoever came by a link subscribes by it, and again after the socket was lost', async (t) => {
  const { sockets, pass } = bench(null, 'Ab-_9');
  sockets[0]?.onopen?.();
  sockets[0]?.onclose?.();
  await pass(500);
  sockets[1]?.onopen?.();
  for (const socket of sockets) t.same(socket.sent, ['{"subscribe":"channel:@mill","grant":"Ab-_9"}']);
});

t.test('a lost socket is opened again, ever more patiently, and subscribes again', async (t) => {
  const { sockets, pass } = bench();
  sockets[0]?.onclose?.();
  await pass(499);
  t.equal(sockets.length, 1);
  await pass(1);
  t.equal(sockets.length, 2);
  sockets[1]?.onclose?.();
  await pass(999);
  t.equal(sockets.length, 2);
  await pass(1);
  t.equal(sockets.length, 3);
  sockets[2]?.onopen?.();
  t.equal(sockets[2]?.sent.length, 1);
});

t.test('without a socket the page polls, and stops polling when the socket speaks', async (t) => {
  const { sockets, heard, pass, polls } = bench(now('live'));
  await pass(8_000);
  t.equal(polls(), 2);
  t.same(heard, ['live', 'live']);
  sockets[0]?.onmessage?.(message('ended', 'snapshot'));
  await pass(30_000);
  t.equal(polls(), 2);
});

t.test('a socket that spoke and was lost is stood in for by polling', async (t) => {
  const { sockets, heard, pass, polls } = bench(now('waiting'));
  sockets[0]?.onmessage?.(message('live', 'snapshot'));
  sockets[0]?.onclose?.();
  await pass(8_000);
  t.equal(polls(), 2);
  t.same(heard, ['live', 'waiting', 'waiting']);
});

t.test('stopping leaves no timer and no socket', async (t) => {
  const { sockets, stop, waiting } = bench();
  sockets[0]?.onclose?.();
  stop();
  t.equal(waiting(), 0);
  const second = bench();
  second.stop();
  t.ok(second.sockets[0]?.closed);
  t.equal(second.waiting(), 0);
});

t.test('what is not the state of a channel is ignored', async (t) => {
  for (const data of [1, 'live', null, [], {}, { state: 'dancing' }]) t.equal(readChannel(data), null);
  t.same(readChannel(now('live')), now('live'));
});
