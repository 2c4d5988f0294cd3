import t from 'tap';
import { readVideo } from './follow-video.ts';
import { createTopics, readMessage } from './topics.ts';
import type { Socket } from './topics.ts';

const bench = () => {
  const sockets: (Socket & { sent: string[]; closed: boolean })[] = [];
  const topics = createTopics({
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
    later: () => () => {},
    random: () => 1,
  });
  const heard: string[] = [];
  const follow = (name: string) =>
    topics.follow({
      name,
      read: (data) => (typeof data === 'string' ? data : null),
      poll: async () => null,
      tell: (now) => heard.push(`${name} ${now}`),
    });
  const say = (topic: string, data: string, type = 'update') =>
    sockets.at(-1)?.onmessage?.({ data: JSON.stringify({ topic, type, data }) });
  return { sockets, heard, follow, say };
};

t.test('many topics share a socket, and each hears what is its own', async (t) => {
  const { sockets, heard, follow, say } = bench();
  const stop = [follow('video:a'), follow('video:b')];
  sockets[0]?.onopen?.();
  t.same(sockets[0]?.sent, ['{"subscribe":"video:a"}', '{"subscribe":"video:b"}']);
  say('video:a', 'one');
  say('video:b', 'two');
  say('video:c', 'three');
  t.same(heard, ['video:a one', 'video:b two']);
  stop[0]?.();
  t.equal(sockets[0]?.sent.at(-1), '{"unsubscribe":"video:a"}');
  stop[1]?.();
  t.ok(sockets[0]?.closed, 'nobody follows anything any more');
  follow('video:a');
  t.equal(sockets.length, 2, 'and whoever comes later has a new socket');
  sockets[0]?.onclose?.();
  t.equal(sockets.length, 2, 'to which the end of the old one means nothing');
});

t.test('a topic that two follow is left when both have gone', async (t) => {
  const { sockets, heard, follow, say } = bench();
  const first = follow('video:a');
  sockets[0]?.onopen?.();
  const second = follow('video:a');
  follow('video:b');
  t.same(sockets[0]?.sent.slice(0, 2), ['{"subscribe":"video:a"}', '{"subscribe":"video:a"}'], 'the second wants its snapshot');
  first();
  say('video:a', 'x');
  t.same(heard, ['video:a x']);
  t.notOk(sockets[0]?.sent.includes('{"unsubscribe":"video:a"}'));
  second();
  t.ok(sockets[0]?.sent.includes('{"unsubscribe":"video:a"}'));
});

t.test('what is not a message of a topic is ignored', async (t) => {
  const data = { state: 'uploading' };
  for (const text of [1, 'no json', 'null', '[]', '{}', JSON.stringify({ topic: 'video:a', type: 'gone' })]) t.equal(readMessage(text), null);
  t.same(readMessage(JSON.stringify({ topic: 'video:a', type: 'snapshot', data })), { topic: 'video:a', data });
});

t.test('what is not the state of a video is ignored, and what is not said is null', async (t) => {
  for (const data of [1, null, [], {}, { state: 'dancing' }]) t.equal(readVideo(data), null);
  const nothing = { duration: null, error: null, progress: null, upload: null };
  t.same(readVideo({ state: 'uploading', title: 'x' }), { state: 'uploading', ...nothing });
});
